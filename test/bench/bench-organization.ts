import { drizzle } from 'drizzle-orm/d1'
import { Agent, fetch } from 'undici'
import { hashServerApiKey, newServerApiKey } from '../../src/access/server-api-key.ts'
import { insertApiKey } from '../../src/store/api-keys.ts'

/** How many requests prepare a case at a time. */
const LANES = 64

/** Where the organization's jobs are. */
export interface Edge {
  url: string
  d1: () => Promise<D1Database>
}

export interface Request {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: string
}

/** An organization that makes the measured requests. */
export class BenchOrganization {
  readonly headers: Record<string, string>
  readonly #url: string
  readonly #agent = new Agent({ connections: LANES })

  private constructor(url: string, key: string) {
    this.#url = url
    this.headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }
  }

  static async open(edge: Edge, organizationId = 'bench'): Promise<BenchOrganization> {
    const key = newServerApiKey()
    await insertApiKey(drizzle(await edge.d1()), {
      keyId: `key_${organizationId}`,
      keyHash: await hashServerApiKey(key),
      organizationIds: [organizationId],
      name: organizationId,
      permissions: ['job:create', 'job:read'],
      createdAt: Date.now(),
      expiresAt: null,
    })
    return new BenchOrganization(edge.url, key)
  }

  /** Creates jobs, and starts them unless told otherwise. Returns their ids. */
  async createJobs(count: number, { start = true } = {}): Promise<string[]> {
    const ids: string[] = []
    let left = count
    const createInTurn = async () => {
      while (left-- > 0) {
        const body = JSON.stringify({ job_type: 'import', total_items: 10_000_000 })
        const id = (await this.send({ method: 'POST', path: '/api/jobs/', body })).job_id as string
        const path = `/api/jobs/${id}/progress`
        if (start) await this.send({ method: 'POST', path, body: '{"mark_started":true}' })
        ids.push(id)
      }
    }
    await Promise.all(Array.from({ length: LANES }, createInTurn))
    return ids
  }

  async addErrors(jobId: string, count: number): Promise<void> {
    for (let from = 0; from < count; from += 500) {
      const errors = Array.from({ length: Math.min(500, count - from) }, (_, n) => sampleError(from + n))
      await this.send({
        method: 'POST',
        path: `/api/jobs/${jobId}/progress`,
        body: JSON.stringify({ errors }),
      })
    }
  }

  async send({ path, ...request }: Request): Promise<Record<string, unknown>> {
    const options = { ...request, headers: this.headers, dispatcher: this.#agent }
    const response = await fetch(this.#url + path, options)
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }
}

export function sampleError(n: number | string) {
  return {
    entity_key: `sku-${n}`,
    entity_type: 'product',
    error_type: 'bad_row',
    message: 'The row has no title and cannot be imported without one',
    details: { row: n },
  }
}
