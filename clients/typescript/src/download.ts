import { describeFailure, isTemporary, readDetail, readRetryAfter } from './attempt.ts'
import { backOff } from './back-off.ts'
import type { Connection } from './connection.ts'
import { RequestRefusedError, UnreachableError } from './errors.ts'

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
  const { clock, giveUpAfterMs } = connection
  const begunAt = clock.elapsed()
  for (let attempts = 1; ; attempts++) {
    signal?.throwIfAborted()
    const left = Math.max(1, begunAt + giveUpAfterMs - clock.elapsed())
    const patience = new Patience(Math.min(connection.attemptTimeoutMs, left), signal)
    const failed = { reason: '', cause: undefined as unknown, retryAfterMs: 0 }
    let hasBegun = false
    try {
      const response = await connection.fetch(`${connection.url}${path}`, {
        headers: new Headers({ ...connection.headers, accept }),
        redirect: 'manual',
        signal: patience.signal,
      })
      if (isTemporary(response.status)) {
        failed.reason = `the API answered ${response.status}`
        failed.retryAfterMs = readRetryAfter(response.headers, clock)
        await response.body?.cancel()
      } else if (!response.ok || response.body === null) {
        const detail = await response.json().then(readDetail, () => undefined)
        throw new RequestRefusedError(response.status, detail ?? response.statusText)
      } else {
        const reader = response.body.getReader()
        try {
          for (let each = await reader.read(); !each.done; each = await reader.read()) {
            // The time that the caller takes is not the API's.
            patience.stop()
            hasBegun = true
            yield each.value
            patience.start(connection.attemptTimeoutMs)
          }
          return
        } finally {
          // Its reader may have left early. The connection may be broken already.
          await reader.cancel().catch(() => {})
        }
      }
    } catch (cause) {
      signal?.throwIfAborted()
      if (cause instanceof RequestRefusedError) throw cause
      failed.reason = describeFailure(cause)
      failed.cause = cause
    } finally {
      patience.stop()
    }
    const { reason, cause } = failed
    if (hasBegun) throw new UnreachableError(`The download broke off: ${reason}`, { cause, retryAfterMs: 0 })
    const wait = failed.retryAfterMs + backOff(attempts, clock.random())
    if (clock.elapsed() + wait > begunAt + giveUpAfterMs)
      throw new UnreachableError(`Gave up after ${attempts} attempts: ${reason}`, {
        cause,
        retryAfterMs: wait,
      })
    await clock.wait(wait, signal)
  }
}

/** A signal that is aborted once it has waited for too long, or with `outer`. */
class Patience {
  readonly signal: AbortSignal
  readonly #late = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number, outer: AbortSignal | undefined) {
    this.signal = outer ? AbortSignal.any([this.#late.signal, outer]) : this.#late.signal
    this.start(ms)
  }

  start(ms: number): void {
    this.#timer = setTimeout(() => this.#late.abort(new Error('nothing came in time')), ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
