import type { Item } from './check-row.ts'
import { FeedError } from './feed-error.ts'

interface Upload {
  /** The URL of `/import-json-async`. */
  url: string
  batchRows: number
  signal?: AbortSignal | undefined
  /** Called after each batch, and awaited. `received` is the number of items that the import has so far. */
  onBatch(importJobId: string, received: number): Promise<void>
}

const ANSWER_TIMEOUT_MS = 30_000

/**
 * Sends the items to one import in batches and returns its id, or null without items. Throws FeedError.
 *
 * Batches are never retried, since the import has no Idempotency-Key: a batch whose reply was lost may have arrived, and
 * resending the first one would start a second import.
 */
export async function uploadItems(items: Item[], upload: Upload): Promise<string | null> {
  let importJobId: string | null = null
  for (let start = 0; start < items.length; start += upload.batchRows) {
    const batch = items.slice(start, start + upload.batchRows)
    const reply = await postBatch(upload, importJobId, batch)
    if (importJobId !== null && reply.jobId !== importJobId) {
      throw new FeedError(`The import ${importJobId} continued under another id, ${reply.jobId}`)
    }
    importJobId = reply.jobId
    await upload.onBatch(importJobId, reply.received)
    const sent = start + batch.length
    if (reply.received !== sent) {
      throw new FeedError(`The import received ${reply.received} of the first ${sent} rows`)
    }
  }
  return importJobId
}

async function postBatch({ url, signal }: Upload, importJobId: string | null, items: Item[]) {
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(importJobId === null ? { items } : { job_id: importJobId, items }),
      signal: AbortSignal.any(signal ? [signal, timeout] : [timeout]),
    })
    text = await response.text()
  } catch (cause) {
    signal?.throwIfAborted()
    const what = timeout.aborted
      ? `did not answer within ${ANSWER_TIMEOUT_MS / 1_000} s`
      : 'cannot be reached'
    throw new FeedError(`The import ${what}`, { cause })
  }
  if (!response.ok) throw new FeedError(`The import answered ${response.status}`)
  const reply = readReply(text)
  if (reply === null) throw new FeedError('The import answered without a job_id and a count')
  return reply
}

function readReply(text: string): { jobId: string; received: number } | null {
  let reply: { job_id?: unknown; received?: unknown } | null
  try {
    reply = JSON.parse(text)
  } catch {
    return null
  }
  const { job_id: jobId, received } = reply ?? {}
  if (typeof jobId !== 'string' || typeof received !== 'number') return null
  return Number.isSafeInteger(received) && received >= 0 ? { jobId, received } : null
}
