import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { newServerApiKey } from '../../src/access/server-api-key.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'
import { StytchStandIn } from './stytch-stand-in.ts'

const MOST_FAILURES = 5

let edge: Edge
let stytch: StytchStandIn
const lines: string[] = []

beforeAll(async () => {
  stytch = await StytchStandIn.open()
  edge = await startEdge({
    // A unit of REQUESTS is a hundred of them.
    rateLimits: { REQUESTS: 2, FAILED_LOGINS: MOST_FAILURES },
    bindings: stytch.bindings,
    onLine: (line) => void lines.push(line),
  })
})
afterAll(async () => {
  await edge?.dispose()
  await stytch?.close()
})

/** A path that any key may read. */
const PATH = `/api/jobs/job_${'0'.repeat(32)}`

function from(address: string, key: string | null, headers: Record<string, string> = {}) {
  return call(edge, key, 'GET', PATH, undefined, { 'CF-Connecting-IP': address, ...headers })
}

/** The status of each request until one is 429. Limits are counted by the minute, of which a test may see two. */
async function untilRefused(most: number, ask: () => ReturnType<typeof call>) {
  const statuses: number[] = []
  while (statuses.length < 2 * most + 2) {
    const reply = await ask()
    statuses.push(reply.status)
    if (reply.status === 429) return { statuses, reply }
  }
  throw new Error(`${statuses.length} requests, and none was refused`)
}

test('an address that fails to authenticate too often gets 429, and what it has proven before still works', async () => {
  const address = '192.0.2.1'
  const org = freshOrganization()
  const [{ key: known }, { key: unseen }] = [await issueKey(edge, { org }), await issueKey(edge, { org })]
  expect((await from(address, known)).status).toBe(404)

  const { statuses, reply } = await untilRefused(MOST_FAILURES, () => from(address, newServerApiKey()))
  expect(new Set(statuses.slice(0, -1))).toEqual(new Set([401]))
  expect(statuses.length).toBeGreaterThan(MOST_FAILURES)
  expect(reply.body).toEqual({ detail: 'Too many failed authentications' })
  expect(reply.headers.get('Retry-After')).toBe('10')

  // Nothing new is looked up for it, be it good: guessing has an end, whatever is guessed.
  for (const key of [unseen, newServerApiKey()]) expect((await from(address, key)).status).toBe(429)
  expect((await from(address, known)).status).toBe(404)
  // Others are not concerned; nor is a request that shows no credential at all.
  expect((await from('192.0.2.2', newServerApiKey())).status).toBe(401)
  expect((await from('192.0.2.3', unseen)).status).toBe(404)
  expect((await from(address, null)).status).toBe(401)
})

test('requests without a credential, or with a good one, are no failures', async () => {
  const { key } = await issueKey(edge, { org: freshOrganization() })
  for (let n = 0; n < 2 * MOST_FAILURES + 2; n++) {
    expect((await from('192.0.2.4', null)).status).toBe(401)
    expect((await from('192.0.2.4', key)).status).toBe(404)
  }
})

test('that Stytch refuses us is no failure of the caller’s, and is logged once in a while', async () => {
  const address = '192.0.2.6'
  const refusals: [number, string][] = [
    [404, 'project_not_found'],
    [400, 'invalid_project_id_authentication'],
    [404, 'route_not_found'],
    [403, 'ip_not_allowed'],
  ]
  for (const refusal of [...refusals, ...refusals, ...refusals]) {
    stytch.refusal = refusal
    const reply = await from(address, null, { Cookie: 'stytch_session=a-member-s' })
    expect(reply).toMatchObject({
      status: 503,
      body: { detail: 'Credentials cannot be checked at the moment' },
    })
  }
  stytch.refusal = undefined
  expect((await from(address, newServerApiKey())).status).toBe(401)
  const said = () =>
    lines.filter((line) => line.includes('stytch_refuses_us')).map((line) => JSON.parse(line))
  await expect.poll(said).toEqual([expect.objectContaining({ status: 404, type: 'project_not_found' })])
})

test('a key that asks for more than its share gets 429, and no other key does', async () => {
  const org = freshOrganization()
  const [{ key: busy }, { key: other }] = [await issueKey(edge, { org }), await issueKey(edge, { org })]
  // Two hundred are its share; the answer to the question for more counts a moment later.
  const { statuses, reply } = await untilRefused(300, () => from('192.0.2.5', busy))
  expect(statuses.length).toBeGreaterThan(200)
  expect(reply.body).toEqual({ detail: 'Too many requests' })
  expect(reply.headers.get('Retry-After')).toBe('10')
  expect((await from('192.0.2.5', other)).status).toBe(404)
})
