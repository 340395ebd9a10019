import type { Readable, Transform, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** After the child's exit: a process that it left behind may keep the pipe open, and is not waited for. */
const QUIET_MS = 2_000

/**
 * Passes everything from `source` through `filter` to `target`. Resolves when the source has ended or, after `exited`, has been
 * quiet for 2 seconds.
 */
export async function passOn(
  source: Readable,
  filter: Transform,
  target: Writable,
  exited: Promise<unknown>,
): Promise<void> {
  source.pipe(filter).pipe(target, { end: false })
  // Its reader has gone. Closed, the pipe lets the child notice with its next write, as it would without us.
  target.on('error', () => filter.destroy())
  source.on('error', () => filter.end())

  let chunks = 0
  source.on('data', () => chunks++)
  let timer: NodeJS.Timeout | undefined
  const endWhenQuiet = () => {
    const seen = chunks
    timer = setTimeout(() => {
      // A slow reader may have held this process up: first read what has come in the meantime.
      setImmediate(() => {
        if (chunks !== seen) return endWhenQuiet()
        source.unpipe(filter)
        filter.end()
      })
    }, QUIET_MS)
  }
  void exited.then(endWhenQuiet)
  await finished(filter).catch(() => {})
  clearTimeout(timer)
  source.destroy()
}
