import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Disk {
  folder: string
  remount: (how: 'ro' | 'rw') => void
  /** Fills the disk to the last byte. Returns a function that frees the room again. */
  fill: () => () => void
  unmount: () => void
}

/** Mounts a small disk in memory. Undefined if that is not possible: it takes Linux and root. */
export function mountDisk(size: string): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'milepost-disk-'))
  const mount = (...args: string[]) => execFileSync('mount', [...args, folder], { stdio: 'ignore' })
  try {
    mount('-t', 'tmpfs', '-o', `size=${size}`, 'none')
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  return {
    folder,
    remount: (how) => mount('-o', `remount,${how}`),
    fill: () => {
      const file = join(folder, 'filler')
      writeFileSync(file, '')
      for (const size of [1_048_576, 4_096, 1]) appendUntilFull(file, Buffer.alloc(size))
      return () => rmSync(file)
    },
    unmount: () => {
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true })
    },
  }
}

function appendUntilFull(file: string, part: Buffer): void {
  try {
    for (;;) appendFileSync(file, part)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOSPC') throw error
  }
}
