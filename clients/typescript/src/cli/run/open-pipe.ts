import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Pipe {
  /** For the child's `stdio`. */
  writeEnd: number
  readEnd: Socket
  /** To be called once the child has its own copy: the pipe ends when the last copy is closed. */
  closeWriteEnd(): void
}

/**
 * Makes a pipe. Those that Node makes for a child are sockets, which cannot be opened again: in the child, `echo > /dev/stderr`
 * would fail. Undefined where the system has no named pipes; Node's own must do there.
 */
export function openPipe(): Pipe | undefined {
  if (process.platform === 'win32') return undefined
  let folder: string | undefined
  try {
    folder = mkdtempSync(join(tmpdir(), 'milepost-'))
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', ['-m', '600', path], { stdio: 'ignore' })
    // Without O_NONBLOCK, each end would wait for the other to be opened.
    const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const writeEnd = openSync(path, constants.O_WRONLY)
    return {
      writeEnd,
      readEnd: new Socket({ fd: readEnd, readable: true, writable: false }),
      closeWriteEnd: () => closeSync(writeEnd),
    }
  } catch {
    return undefined
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}
