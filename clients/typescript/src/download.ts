import { backOff } from './back-off.ts'
import type { Connection } from './connection.ts'
import { UnreachableError } from './errors.ts'
import { type Break, openStream, toBreak } from './open-stream.ts'
import { Silence } from './silence.ts'

/**
 * Yields a reply as it comes. Tries again, as for other requests, until it begins; whoever has read a part of it cannot be
 * given it again. Throws RequestRefusedError if the API refuses the request, UnreachableError if the reply does not begin in
 * time, breaks off, or pauses for longer than an attempt may, and the reason of `signal` when it is aborted.
 */
export async function* download(
  connection: Connection,
  path: string,
  accept: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { clock, giveUpAfterMs, attemptTimeoutMs } = connection
  const begunAt = clock.elapsed()
  for (let attempts = 1; ; attempts++) {
    signal?.throwIfAborted()
    const silence = new Silence(clock, signal)
    silence.limitTo(Math.min(attemptTimeoutMs, Math.max(1, begunAt + giveUpAfterMs - clock.elapsed())))
    let hasBegun = false
    let broken: Break
    try {
      const opened = await openStream(connection, path, { accept }, silence.signal)
      if (opened === null) return
      if ('reason' in opened) broken = opened
      else {
        const reader = opened.getReader()
        try {
          for (let each = await reader.read(); !each.done; each = await reader.read()) {
            // The time that the caller takes is not the API's.
            silence.allow()
            hasBegun = true
            yield each.value
            silence.limitTo(attemptTimeoutMs)
          }
          return
        } finally {
          // Its reader may have left early. The connection may be broken already.
          await reader.cancel().catch(() => {})
        }
      }
    } catch (cause) {
      broken = toBreak(cause, signal)
    } finally {
      silence.allow()
    }
    const { reason, cause } = broken
    if (hasBegun) throw new UnreachableError(`The download broke off: ${reason}`, { cause, retryAfterMs: 0 })
    const retryAfterMs = broken.retryAfterMs + backOff(attempts, clock.random())
    if (clock.elapsed() + retryAfterMs > begunAt + giveUpAfterMs)
      throw new UnreachableError(`Gave up after ${attempts} attempts: ${reason}`, { cause, retryAfterMs })
    await clock.wait(retryAfterMs, signal)
  }
}
