/** Where the API is, who is calling, and (for tests, mostly) how to send and wait. */
export interface Connection {
  /** The API's address, such as `https://jobs.example.com`; a path before `/api` is kept. */
  url: string
  /** A server API key with the permission `job:create`. */
  key: string
  /** A call that has not succeeded this many milliseconds after it began throws. Default 60,000. */
  giveUpAfterMs?: number
  /** A single attempt that has no answer after this many milliseconds counts as failed. Default 10,000. */
  attemptTimeoutMs?: number
  /**
   * Once aborted, the call under way and every later one throw the signal's reason at once, even between two attempts.
   * What was sent last may have been applied all the same.
   */
  signal?: AbortSignal
  fetch?: Fetch
  clock?: Clock
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface Clock {
  /** Milliseconds since any fixed moment. */
  now(): number
  /** Resolves after `ms` milliseconds, or as soon as the signal is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** Spreads the retries of many workers: at least 0, below 1. */
  random(): number
}

/** The job is finished, by someone else perhaps: a cancellation reaches the worker this way. Stop working on it. */
export class JobClosedError extends Error {
  override name = 'JobClosedError'
}

/** The request as sent will never be accepted: a wrong key, a wrong field, an unknown job. */
export class RequestRefusedError extends Error {
  override name = 'RequestRefusedError'
  readonly status: number
  /** `detail` of the reply: a sentence, or the list of what is wrong with the body. */
  readonly detail: unknown

  constructor(status: number, detail: unknown) {
    super(`${status} ${describeDetail(detail)}`)
    this.status = status
    this.detail = detail
  }
}

/** No usable answer in the time allowed. The last attempt may have been applied all the same. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8_000

const systemClock: Clock = {
  now: () => Date.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const end = () => {
        // A timer that is left behind would keep a Node process from ending.
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal?.addEventListener('abort', end)
    }),
  random: () => Math.random(),
}

type Attempt =
  | { kind: 'answered'; reply: unknown }
  | { kind: 'refused'; status: number; detail: unknown }
  | { kind: 'again'; reason: string; cause?: unknown; retryAfterMs: number }

/**
 * POSTs `body` until it is answered, and returns the JSON of the answer. All attempts of one call carry one
 * Idempotency-Key: an attempt whose reply was lost is not applied a second time by the next.
 *
 * Tried again: no connection, a broken or late reply, 408, 429, any 5xx. Throws JobClosedError on 409, RequestRefusedError
 * on any other refusal, UnreachableError once the next attempt would come after `giveUpAfterMs`, and the reason of
 * `connection.signal` once that is aborted.
 */
export async function sendWithRetries(connection: Connection, path: string, body: unknown): Promise<unknown> {
  const clock = connection.clock ?? systemClock
  const giveUpAt = clock.now() + (connection.giveUpAfterMs ?? 60_000)
  // The platform's own error would quote the key.
  if (!/^[\x21-\x7e]+$/.test(connection.key.trim()))
    throw new TypeError('The key has signs that no header can hold')
  // Outside the attempts: a key or body that cannot be sent at all is the caller's mistake, not an outage.
  const url = `${connection.url.replace(/\/+$/, '')}${path}`
  const request = {
    method: 'POST',
    headers: new Headers({
      authorization: `Bearer ${connection.key}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    }),
    body: JSON.stringify(body),
    // A followed redirect would turn the POST into a GET, or drop the key: let it be refused in plain sight.
    redirect: 'manual' as const,
  }

  for (let attempts = 1; ; attempts++) {
    connection.signal?.throwIfAborted()
    const timeLeft = Math.max(1, giveUpAt - clock.now())
    const signals = [AbortSignal.timeout(Math.min(connection.attemptTimeoutMs ?? 10_000, timeLeft))]
    if (connection.signal) signals.push(connection.signal)
    const attempt = await tryOnce(connection, url, { ...request, signal: AbortSignal.any(signals) }, clock)
    if (attempt.kind === 'answered') return attempt.reply
    if (attempt.kind === 'refused') {
      if (attempt.status === 409) throw new JobClosedError(describeDetail(attempt.detail))
      throw new RequestRefusedError(attempt.status, attempt.detail)
    }
    connection.signal?.throwIfAborted()
    // Added to Retry-After rather than the greater of both: many workers told the same second must not all return in it.
    const wait = attempt.retryAfterMs + backOff(attempts, clock.random())
    if (clock.now() + wait > giveUpAt) {
      throw new UnreachableError(`Gave up after ${attempts} attempts: ${attempt.reason}`, {
        cause: attempt.cause,
      })
    }
    await clock.wait(wait, connection.signal)
  }
}

/** Doubles with each attempt up to a limit, and is cut at random to between its half and its whole. */
function backOff(attempts: number, random: number): number {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1))
  return whole * (0.5 + random / 2)
}

async function tryOnce(
  connection: Connection,
  url: string,
  init: RequestInit,
  clock: Clock,
): Promise<Attempt> {
  // On Workers the global fetch must not be called as a method of another object.
  const send: Fetch = connection.fetch ?? ((to, options) => fetch(to, options))
  let response: Response
  let text: string
  try {
    response = await send(url, init)
    text = await response.text()
  } catch (cause) {
    return { kind: 'again', reason: describeFailure(cause), cause, retryAfterMs: 0 }
  }
  const { status } = response
  if (status === 408 || status === 429 || status >= 500) {
    const retryAfterMs = readRetryAfter(response.headers.get('retry-after'), clock)
    return { kind: 'again', reason: `the API answered ${status}`, retryAfterMs }
  }
  const reply = parseJson(text)
  if (!response.ok) return { kind: 'refused', status, detail: readDetail(reply) ?? response.statusText }
  // A reply that was cut short is as good as lost; the next attempt is answered from the server's memory of this one.
  if (reply === undefined) return { kind: 'again', reason: 'the reply was not JSON', retryAfterMs: 0 }
  return { kind: 'answered', reply }
}

/** Seconds or an HTTP date, to milliseconds from now; 0 where absent or unreadable. */
function readRetryAfter(header: string | null, clock: Clock): number {
  if (header === null || header.trim() === '') return 0
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? 0 : Math.max(0, date - clock.now())
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readDetail(reply: unknown): unknown {
  return typeof reply === 'object' && reply !== null && 'detail' in reply ? reply.detail : undefined
}

function describeDetail(detail: unknown): string {
  return typeof detail === 'string' ? detail : JSON.stringify(detail)
}

// fetch says only "fetch failed"; what failed is in its cause.
function describeFailure(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  return failure.cause instanceof Error ? `${failure.message}: ${failure.cause.message}` : failure.message
}
