import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/**
 * Makes a folder hold these files, by their paths in it, and no others. Each is replaced in one step, and one that is right
 * already is left alone: several processes may do this at the same time, and others may read.
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, string | Buffer>,
): Promise<void> {
  // Beside the folder: what a killed process leaves there is never served.
  const drafts = `${folder}-drafts`
  await mkdir(drafts, { recursive: true })
  for (const [path, content] of files) {
    const target = join(folder, path)
    const current = await readFile(target).catch(() => undefined)
    if (current?.equals(Buffer.from(content))) continue
    await mkdir(dirname(target), { recursive: true })
    const draft = join(drafts, randomUUID())
    await writeFile(draft, content)
    await rename(draft, target)
  }
  const there = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of there) {
    const path = relative(folder, join(entry.parentPath, entry.name))
    if (entry.isFile() && !files.has(path)) await rm(join(folder, path), { force: true })
  }
}
