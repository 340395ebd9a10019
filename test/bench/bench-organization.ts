import { drizzle } from 'drizzle-orm/d1'
import type { Edge } from '../../scripts/edge.ts'
import { hashServerApiKey, newServerApiKey } from '../../src/access/server-api-key.ts'
import { insertApiKey } from '../../src/store/api-keys.ts'
import type { Request } from './load.ts'

/** How many keys share the load, to keep each one below its rate limit. */
const KEYS = 16

/** An organization that makes the measured requests. */
export class BenchOrganization {
  readonly #edge: Edge
  readonly #keys: string[]

  private constructor(edge: Edge, keys: string[]) {
    this.#edge = edge
    this.#keys = keys
  }

  static async open(edge: Edge): Promise<BenchOrganization> {
    const store = drizzle(await edge.d1())
    const keys = Array.from({ length: KEYS }, newServerApiKey)
    for (const [n, key] of keys.entries()) {
      await insertApiKey(store, {
        keyId: `key_bench_${n}`,
        keyHash: await hashServerApiKey(key),
        organizationIds: ['bench'],
        name: 'bench',
        permissions: ['job:create', 'job:read'],
        createdAt: Date.now(),
        expiresAt: null,
      })
    }
    return new BenchOrganization(edge, keys)
  }

  async createJobs(count: number): Promise<string[]> {
    return await Promise.all(
      Array.from({ length: count }, async () => {
        const body = JSON.stringify({ job_type: 'import', total_items: 100_000 })
        return (await this.send({ method: 'POST', path: '/api/jobs/', body })).job_id as string
      }),
    )
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

  /** Copies the request for each key and job, both in turn. */
  spread(jobIds: string[], request: Omit<Request, 'path' | 'headers'>, path: string): Request[] {
    const count = Math.max(KEYS, jobIds.length)
    return Array.from({ length: count }, (_, n) => ({
      ...request,
      path: path.replace('{job_id}', jobIds[n % jobIds.length] ?? ''),
      headers: this.headers(n),
    }))
  }

  headers(n = 0): Record<string, string> {
    return { Authorization: `Bearer ${this.#keys[n % KEYS]}`, 'Content-Type': 'application/json' }
  }

  async send({ path, ...request }: Request): Promise<Record<string, unknown>> {
    const response = await fetch(this.#edge.url + path, { ...request, headers: this.headers() })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }
}

export function sampleError(n: number) {
  return {
    entity_key: `sku-${n}`,
    entity_type: 'product',
    error_type: 'bad_row',
    message: 'The row has no title and cannot be imported without one',
    details: { row: n },
  }
}
