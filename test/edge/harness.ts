import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/d1'
import { type Edge, type EdgeOptions, openEdge } from '../../scripts/edge.ts'
import { PERMISSIONS, type Permission } from '../../src/access/caller.ts'
import { hashServerApiKey, newServerApiKey } from '../../src/access/server-api-key.ts'
import { insertApiKey } from '../../src/store/api-keys.ts'
import { placeOrganization } from '../../src/store/organizations.ts'
import { checkReply } from './check-reply.ts'

/** The whole edge on a new state, which `dispose` deletes. The state starts as a copy of the folder `state`, if given. */
export async function startEdge({
  state,
  ...options
}: Omit<EdgeOptions, 'persistTo'> & { state?: string } = {}): Promise<Edge> {
  const persistTo = await mkdtemp(join(tmpdir(), 'milepost-'))
  if (state !== undefined) await cp(state, persistTo, { recursive: true })
  const removeState = () => rm(persistTo, { recursive: true, force: true, maxRetries: 5 })
  try {
    // All tests call from one address, and many fail to authenticate on purpose.
    const rateLimits = { FAILED_LOGINS: 1_000_000, ...options.rateLimits }
    const edge = await openEdge({ quiet: true, ...options, rateLimits, persistTo })
    return { ...edge, dispose: () => edge.dispose().finally(removeState) }
  } catch (error) {
    await removeState()
    throw error
  }
}

/** An organization that no other test uses. */
export function freshOrganization(): string {
  return `org-${randomUUID()}`
}

export interface KeyOrder {
  /** One or several. */
  org: string | string[]
  /** Default: all. */
  permissions?: Permission[]
  /** Milliseconds since the epoch. */
  expiresAt?: number
  /** Where organizations live that have not been placed: a binding. Default: `DB`. */
  database?: string
}

/** Issues a server API key, which works at once. */
export async function issueKey(edge: Edge, order: KeyOrder): Promise<{ key: string; keyId: string }> {
  const key = newServerApiKey()
  const keyId = `key_${randomUUID()}`
  const directory = drizzle(await edge.d1())
  const { database } = order
  if (database !== undefined)
    for (const org of [order.org].flat())
      await placeOrganization(directory, org, async () => database, Date.now())
  await insertApiKey(directory, {
    keyHash: await hashServerApiKey(key),
    keyId,
    organizationIds: [order.org].flat(),
    name: 'test',
    permissions: order.permissions ?? [...PERMISSIONS],
    createdAt: Date.now(),
    expiresAt: order.expiresAt ?? null,
  })
  return { key, keyId }
}

/** Copies the job `jobId` in D1, and only there, under the ID `as`: an import from another system does the same. */
export async function importJob(edge: Edge, jobId: string, as: string): Promise<void> {
  const d1 = await edge.d1()
  const row = await d1.prepare('SELECT * FROM jobs WHERE job_id = ?').bind(jobId).first()
  const columns = Object.entries({ ...row, job_id: as })
  await d1
    .prepare(`INSERT INTO jobs (${columns.map(([name]) => name)}) VALUES (${columns.map(() => '?')})`)
    .bind(...columns.map(([, value]) => value))
    .run()
}

/** What a job's `entry_bytes` is with these entries. Their time does not matter: each takes as many bytes. */
export function entryBytes(entries: object[]): number {
  const texts = entries.map((entry) => JSON.stringify({ ...entry, timestamp: new Date(0) }))
  return Buffer.byteLength(texts.join(''))
}

export interface Reply {
  status: number
  headers: Headers
  text: string
  /** Parsed if it is JSON; undefined if it is empty. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect in it
  body: any
}

/**
 * Makes one call. Throws if its endpoint does not declare such a reply.
 *
 * @param key the server API key to call with; null: none
 * @param body sent as JSON. A string is sent as it is. So are bytes, without a content type unless `headers` has one
 */
export async function call(
  edge: Pick<Edge, 'url'>,
  key: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const isText = typeof body === 'string'
  const isBytes = body instanceof Uint8Array
  const response = await fetch(`${edge.url}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      ...(body === undefined || isBytes ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { body: isText ? body : isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
  })
  const text = await response.text()
  const contentType = response.headers.get('Content-Type')
  checkReply(method, path, { status: response.status, contentType, text })
  const isJson = contentType?.startsWith('application/json') && text !== ''
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : text || undefined,
  }
}
