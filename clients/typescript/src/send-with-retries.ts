import { type ApiRequest, attempt } from './attempt.ts'
import { backOff } from './back-off.ts'
import type { Connection } from './connection.ts'
import { describeDetail, JobClosedError, RequestRefusedError, UnreachableError } from './errors.ts'
import type { JobStatus } from './job.ts'
import { statusIn } from './statuses.ts'

export interface ApiReply {
  /** The reply's JSON. */
  body: unknown
  /** The header `Job-Status`: the job's status now, even if the reply is a replay. */
  jobStatus: JobStatus | undefined
}

interface SendOptions {
  /** Asked before each wait: on the connection's clock, when to give up. Default: after its `giveUpAfterMs`. */
  giveUpAt?: () => number
  /** When aborted, the call throws the signal's reason at once. The last attempt may still have been applied. */
  signal?: AbortSignal | undefined
  /** Called when an attempt has failed and another follows. */
  onRetry?: (reason: string) => void
}

/**
 * Sends a request until the API answers. Retries after a failed connection, a broken or late reply, 408, 429 and any 5xx. Give
 * a POST an Idempotency-Key, or a retry after a lost reply applies it twice.
 *
 * Throws JobClosedError on 409, RequestRefusedError on any other refusal, UnreachableError if the next attempt would start too
 * late, and the reason of `signal` when it is aborted.
 */
export async function sendWithRetries(
  connection: Connection,
  request: ApiRequest,
  options: SendOptions = {},
): Promise<ApiReply> {
  const { clock } = connection
  const { signal, onRetry } = options
  const begunAt = clock.elapsed()
  const giveUpAt = options.giveUpAt ?? (() => begunAt + connection.giveUpAfterMs)

  for (let attempts = 1; ; attempts++) {
    signal?.throwIfAborted()
    const timeLeft = Math.max(1, giveUpAt() - clock.elapsed())
    const timeout = AbortSignal.timeout(Math.ceil(Math.min(connection.attemptTimeoutMs, timeLeft)))
    const outcome = await attempt(connection, request, signal ? AbortSignal.any([timeout, signal]) : timeout)
    if (outcome.kind === 'answered')
      return { body: outcome.body, jobStatus: statusIn(outcome.headers.get('job-status')) }
    if (outcome.kind === 'refused') {
      const { status, detail, headers } = outcome
      if (status !== 409) throw new RequestRefusedError(status, detail)
      const text = describeDetail(detail)
      throw new JobClosedError(text, statusIn(headers.get('job-status')) ?? statusIn(text))
    }
    signal?.throwIfAborted()
    // Add the backoff to Retry-After. Workers that were all given the same second must not all return in it.
    const wait = outcome.retryAfterMs + backOff(attempts, clock.random())
    if (clock.elapsed() + wait > giveUpAt()) {
      const message = `Gave up after ${attempts} attempts: ${outcome.reason}`
      throw new UnreachableError(message, { cause: outcome.cause, retryAfterMs: wait })
    }
    onRetry?.(outcome.reason)
    await clock.wait(wait, signal)
  }
}
