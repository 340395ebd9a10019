/** The API's address and key, and (mostly for tests) how to send and wait. */
export interface Connection {
  /** The API's base URL, such as `https://jobs.example.com`. It may include a path before `/api`. */
  url: string
  /** A server API key with the permission `job:create`. */
  key: string
  /** How many milliseconds a call may take, retries included, before it throws. Default 60,000. */
  giveUpAfterMs?: number
  /** How many milliseconds one attempt may wait for its reply. Default 10,000. */
  attemptTimeoutMs?: number
  /**
   * When aborted, the current call and every later one throw the signal's reason immediately, even between attempts. The last
   * request may still have been applied.
   */
  signal?: AbortSignal
  fetch?: Fetch
  clock?: Clock
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface Clock {
  /** Milliseconds since the epoch, for a date that the API sends. */
  now(): number
  /** Milliseconds since some fixed point, for the time limit. Setting the machine's clock does not change it. */
  elapsed(): number
  /** Resolves after `ms` milliseconds, or when the signal is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** A number from 0 up to but not including 1. It spreads the retries of many workers. */
  random(): number
}

/** The job is already finished, for example because someone canceled it. Stop working on it. */
export class JobClosedError extends Error {
  override name = 'JobClosedError'
}

/** The API will never accept this request: a wrong key, an invalid field, an unknown job. */
export class RequestRefusedError extends Error {
  override name = 'RequestRefusedError'
  readonly status: number
  /** The reply's `detail`: a sentence, or a list of validation errors. */
  readonly detail: unknown

  constructor(status: number, detail: unknown) {
    super(`${status} ${describeDetail(detail)}`)
    this.status = status
    this.detail = detail
  }
}

/** The API gave no usable reply in time. The last attempt may still have been applied. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8_000

const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const end = () => {
        // A pending timer would keep a Node process alive.
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
 * POSTs `body` until the API replies, and returns the reply's JSON. All attempts share one Idempotency-Key, so a retry after a
 * lost reply does not apply the request twice.
 *
 * Retries after a failed connection, a broken or late reply, 408, 429 and any 5xx. Throws JobClosedError on 409,
 * RequestRefusedError on any other refusal, UnreachableError if the next attempt would start after `giveUpAfterMs`, and the
 * reason of `connection.signal` when it is aborted. Throws a TypeError if the key cannot be a header value.
 */
export async function sendWithRetries(connection: Connection, path: string, body: unknown): Promise<unknown> {
  const clock = connection.clock ?? systemClock
  const giveUpAt = clock.elapsed() + (connection.giveUpAfterMs ?? 60_000)
  // Don't let fetch reject the header: its error would quote the key.
  if (!/^[\x21-\x7e]+$/.test(connection.key.trim()))
    throw new TypeError('The key contains characters that are not allowed in a header')
  // Build the request outside the attempts: a body that cannot be sent is the caller's mistake, not an outage to retry.
  const url = `${connection.url.replace(/\/+$/, '')}${path}`
  const request = {
    method: 'POST',
    headers: new Headers({
      authorization: `Bearer ${connection.key}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    }),
    body: JSON.stringify(body),
    // Following a redirect could turn the POST into a GET or drop the key. Fail visibly instead.
    redirect: 'manual' as const,
  }

  for (let attempts = 1; ; attempts++) {
    connection.signal?.throwIfAborted()
    const timeLeft = Math.max(1, giveUpAt - clock.elapsed())
    const signals = [AbortSignal.timeout(Math.min(connection.attemptTimeoutMs ?? 10_000, timeLeft))]
    if (connection.signal) signals.push(connection.signal)
    const attempt = await tryOnce(connection, url, { ...request, signal: AbortSignal.any(signals) }, clock)
    if (attempt.kind === 'answered') return attempt.reply
    if (attempt.kind === 'refused') {
      if (attempt.status === 409) throw new JobClosedError(describeDetail(attempt.detail))
      throw new RequestRefusedError(attempt.status, attempt.detail)
    }
    connection.signal?.throwIfAborted()
    // Add the backoff to Retry-After. Workers that were all given the same second must not all return in it.
    const wait = attempt.retryAfterMs + backOff(attempts, clock.random())
    if (clock.elapsed() + wait > giveUpAt) {
      throw new UnreachableError(`Gave up after ${attempts} attempts: ${attempt.reason}`, {
        cause: attempt.cause,
      })
    }
    await clock.wait(wait, connection.signal)
  }
}

/** Doubles with each attempt, up to a limit. `random` picks a value between half of that and all of it. */
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
  // On Workers, the global fetch must not be called as a method of another object.
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
  // Retry after a truncated reply: the server replays its reply to the same Idempotency-Key.
  if (reply === undefined) return { kind: 'again', reason: 'the reply was not JSON', retryAfterMs: 0 }
  return { kind: 'answered', reply }
}

/** Converts seconds or an HTTP date to milliseconds from now; 0 if absent or invalid. */
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

// fetch says only "fetch failed". The real error is its cause.
function describeFailure(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  return failure.cause instanceof Error ? `${failure.message}: ${failure.cause.message}` : failure.message
}
