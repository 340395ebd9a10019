import type { Connection } from './connection.ts'
import type { Clock } from './options.ts'

export interface ApiRequest {
  method: 'GET' | 'POST'
  /** From `/api` on. */
  path: string
  /** JSON. */
  body?: string
  /** The same for all attempts. */
  idempotencyKey?: string
}

export type Attempt =
  | { kind: 'answered'; body: unknown; headers: Headers }
  | { kind: 'refused'; status: number; detail: unknown; headers: Headers }
  | { kind: 'again'; reason: string; cause?: unknown; retryAfterMs: number }

/** Sends a request once. `again` means that another attempt may succeed: the request may or may not have been applied. */
export async function attempt(
  connection: Connection,
  request: ApiRequest,
  signal: AbortSignal,
): Promise<Attempt> {
  let response: Response
  let text: string
  try {
    response = await connection.fetch(`${connection.url}${request.path}`, toInit(connection, request, signal))
    text = await response.text()
  } catch (cause) {
    return { kind: 'again', reason: describeFailure(cause), cause, retryAfterMs: 0 }
  }
  const { status, headers } = response
  if (isTemporary(status)) {
    const retryAfterMs = readRetryAfter(headers, connection.clock)
    return { kind: 'again', reason: `the API answered ${status}`, retryAfterMs }
  }
  const body = parseJson(text)
  if (!response.ok)
    return { kind: 'refused', status, detail: readDetail(body) ?? response.statusText, headers }
  // Retry after a truncated reply: the server replays its reply to the same Idempotency-Key.
  if (body === undefined) return { kind: 'again', reason: 'the reply was not JSON', retryAfterMs: 0 }
  return { kind: 'answered', body, headers }
}

/** Whether a later attempt may get another answer. */
export function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

function toInit(connection: Connection, request: ApiRequest, signal: AbortSignal): RequestInit {
  const { method, body, idempotencyKey } = request
  return {
    method,
    headers: new Headers({
      ...connection.headers,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    }),
    ...(body !== undefined && { body }),
    // Following a redirect could turn the POST into a GET or drop the key. Fail visibly instead.
    redirect: 'manual',
    signal,
  }
}

/** Converts seconds or an HTTP date to milliseconds from now; 0 if absent or invalid. */
export function readRetryAfter(headers: Headers, clock: Clock): number {
  const header = headers.get('retry-after')
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

export function readDetail(reply: unknown): unknown {
  return typeof reply === 'object' && reply !== null && 'detail' in reply ? reply.detail : undefined
}

/** fetch says only "fetch failed". The real error is its cause. */
export function describeFailure(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  return failure.cause instanceof Error ? `${failure.message}: ${failure.cause.message}` : failure.message
}
