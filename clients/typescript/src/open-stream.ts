import { describeFailure, isTemporary, readDetail, readRetryAfter } from './attempt.ts'
import type { Connection } from './connection.ts'
import { RequestRefusedError } from './errors.ts'

/** Why a stream did not open or broke off, and how long the API asks to wait before another attempt. */
export interface Break {
  reason: string
  cause?: unknown
  retryAfterMs: number
}

/**
 * Asks once for a reply that is read as it comes. Returns its body, null if it has none (204), or a `Break` if another attempt may
 * succeed. Throws RequestRefusedError if the API refuses the request, and what `fetch` throws.
 */
export async function openStream(
  { clock, fetch, url, headers }: Connection,
  path: string,
  ownHeaders: Record<string, string>,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | null | Break> {
  const response = await fetch(`${url}${path}`, {
    headers: new Headers({ ...headers, ...ownHeaders }),
    redirect: 'manual',
    signal,
  })
  if (response.ok) return response.status === 204 ? null : response.body
  if (isTemporary(response.status)) {
    await response.body?.cancel()
    const reason = `the API answered ${response.status}`
    return { reason, retryAfterMs: readRetryAfter(response.headers, clock) }
  }
  const detail = await response.json().then(readDetail, () => undefined)
  throw new RequestRefusedError(response.status, detail ?? response.statusText)
}

/** What a failure while a stream opens or is read means. Throws a refusal, and the reason of `signal` if that is aborted. */
export function toBreak(cause: unknown, signal: AbortSignal | undefined): Break {
  signal?.throwIfAborted()
  if (cause instanceof RequestRefusedError) throw cause
  return { reason: describeFailure(cause), cause, retryAfterMs: 0 }
}
