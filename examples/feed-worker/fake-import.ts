import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A fake of the platform's asynchronous import, which lets the example run on its own.
 *
 * `POST /import-json-async` {"items": […]} → 202 {"job_id": "enrichment-…", "received": 100}. Later batches of the same import
 * name it: {"job_id": "enrichment-…", "items": […]}. `received` is the total so far.
 */
export interface FakeImport {
  /** The full URL of the import endpoint. */
  url: string
  /** The number of distinct items (by `key`) that an import has received; 0 if the import is unknown. */
  countItems(jobId: string): number
  close(): Promise<void>
}

interface Batch {
  job_id?: string
  items: { key: string }[]
}

const LARGEST_BATCH_BYTES = 16 * 1024 * 1024

/** Starts the fake on a free local port. */
export async function openFakeImport(): Promise<FakeImport> {
  const keysOfImport = new Map<string, Set<string>>()

  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.method !== 'POST' || request.url !== '/import-json-async')
      return answer(404, { detail: 'Not Found' })
    const batch = await readBatch(request)
    if (batch === null) return answer(422, { detail: 'Expected {"items": [{"key": …}, …]}' })
    const jobId = batch.job_id ?? `enrichment-${randomUUID()}`
    const keys = batch.job_id === undefined ? new Set<string>() : keysOfImport.get(jobId)
    if (keys === undefined) return answer(404, { detail: 'Import not found' })
    for (const item of batch.items) keys.add(item.key)
    keysOfImport.set(jobId, keys)
    return answer(202, { job_id: jobId, received: keys.size })
  }

  const server = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}/import-json-async`,
    countItems: (jobId) => keysOfImport.get(jobId)?.size ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        // close() waits for connections that clients keep alive.
        server.closeAllConnections()
      }),
  }
}

async function readBatch(request: IncomingMessage): Promise<Batch | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > LARGEST_BATCH_BYTES) return null
    chunks.push(chunk)
  }
  let body: unknown
  try {
    body = JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return null
  }
  return isBatch(body) ? body : null
}

function isBatch(body: unknown): body is Batch {
  if (typeof body !== 'object' || body === null || !('items' in body) || !Array.isArray(body.items))
    return false
  if ('job_id' in body && typeof body.job_id !== 'string') return false
  return body.items.every((item) => typeof item?.key === 'string')
}
