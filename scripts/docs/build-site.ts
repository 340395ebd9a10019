import { execFile } from 'node:child_process'
import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PROJECT, SITE } from '../settings.ts'

/** Its time of modification is that of the last build's start. */
const STAMP = join(PROJECT, 'build/site-built')

/** All that the site is made from; operations come from `src`. A missing one is skipped. */
const SOURCES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'package-lock.json']
const SOURCE_FOLDERS = ['docs', 'src', 'scripts/docs']
/** Folders of which only each member's README is used. */
const README_FOLDERS = ['clients', 'examples']

/** Builds the site. */
export async function buildSite(): Promise<void> {
  const start = new Date()
  const [{ siteFiles }, { writeFolder }] = await Promise.all([
    import('./site-files.ts'),
    import('./write-folder.ts'),
  ])
  await writeFolder(SITE, await siteFiles())
  await writeFile(STAMP, '')
  // Not the end: what changed meanwhile is stale.
  await utimes(STAMP, start, start)
}

/** Builds the site if something that it is made from has changed since the last build. */
export async function buildStaleSite(): Promise<void> {
  const built = await modifiedAt(STAMP)
  if (built > (await newestSource())) return
  await mkdir(SITE, { recursive: true })
  // In a process of its own: most edges need no build, and so none of what it imports.
  await promisify(execFile)(process.execPath, [join(PROJECT, 'scripts/build-docs.ts')])
}

async function newestSource(): Promise<number> {
  const trees = await Promise.all(
    SOURCE_FOLDERS.map(async (folder) =>
      (await readdir(join(PROJECT, folder), { recursive: true })).map((name) => `${folder}/${name}`),
    ),
  )
  const readmes = await Promise.all(
    README_FOLDERS.map(async (folder) => {
      const names = await readdir(join(PROJECT, folder)).catch(() => [])
      return [folder, ...names.map((name) => `${folder}/${name}/README.md`)]
    }),
  )
  const paths = [...SOURCES, ...SOURCE_FOLDERS, ...trees.flat(), ...readmes.flat()]
  return Math.max(...(await Promise.all(paths.map((path) => modifiedAt(join(PROJECT, path))))))
}

/** In milliseconds since the epoch; 0 if there is no such file. */
async function modifiedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0
}
