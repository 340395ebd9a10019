import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { hashServerApiKey, newServerApiKey } from '../../src/access/server-api-key.ts'
import { app } from '../../src/app.ts'
import type { Env } from '../../src/env.ts'
import { insertApiKey } from '../../src/store/api-keys.ts'
import { store } from './fixtures.ts'

/** Sends a request, with a body as JSON. */
type Caller = (method: 'GET' | 'POST', path: string, body?: object) => Promise<Response>

/** A caller with a new key of the organization, at an edge with these bindings in place of the usual ones. */
export async function aCaller(organizationId: string, bindings: Partial<Env> = {}): Promise<Caller> {
  const key = newServerApiKey()
  await insertApiKey(store, {
    keyHash: await hashServerApiKey(key),
    keyId: `key_${crypto.randomUUID()}`,
    organizationIds: [organizationId],
    name: 'test',
    permissions: ['job:create', 'job:read'],
    createdAt: Date.now(),
    expiresAt: null,
  })
  return async (method, path, body) => {
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }
    const request = { method, headers, ...(body && { body: JSON.stringify(body) }) }
    const ctx = createExecutionContext()
    const reply = await app.request(path, request, { ...(env as unknown as Env), ...bindings }, ctx)
    await waitOnExecutionContext(ctx)
    return reply
  }
}
