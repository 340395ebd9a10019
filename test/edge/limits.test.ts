import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { newServerApiKey } from '../../src/access/server-api-key.ts'
import { FakeStytch } from './fake-stytch.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'

const MOST_FAILURES = 5

let edge: Edge
let stytch: FakeStytch
const lines: string[] = []

beforeAll(async () => {
  stytch = await FakeStytch.open()
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

function from(address: string, key: string | null, headers: Record<string, string> = {}, path = '/api/jobs') {
  return call(edge, key, 'GET', path, undefined, { 'CF-Connecting-IP': address, ...headers })
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
  expect((await from(address, known)).status).toBe(200)

  const { statuses, reply } = await untilRefused(MOST_FAILURES, () => from(address, newServerApiKey()))
  expect(new Set(statuses.slice(0, -1))).toEqual(new Set([401]))
  expect(statuses.length).toBeGreaterThan(MOST_FAILURES)
  expect(reply.body).toEqual({ detail: 'Too many failed authentications' })
  expect(reply.headers.get('Retry-After')).toBe('10')

  // Nothing new is looked up for it, be it good: guessing has an end, whatever is guessed.
  for (const key of [unseen, newServerApiKey()]) expect((await from(address, key)).status).toBe(429)
  expect((await from(address, known)).status).toBe(200)
  // Others are not concerned; nor is a request that shows no credential at all.
  expect((await from('192.0.2.2', newServerApiKey())).status).toBe(401)
  expect((await from('192.0.2.3', unseen)).status).toBe(200)
  expect((await from(address, null)).status).toBe(401)
})

test('requests without a credential, or with a good one, are no failures', async () => {
  const { key } = await issueKey(edge, { org: freshOrganization() })
  for (let n = 0; n < 2 * MOST_FAILURES + 2; n++) {
    expect((await from('192.0.2.4', null)).status).toBe(401)
    expect((await from('192.0.2.4', key)).status).toBe(200)
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
      body: { detail: 'Credentials cannot be checked right now' },
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
  expect((await from('192.0.2.5', other)).status).toBe(200)
})

describe('A miss, which costs an object and a look-up,', () => {
  const missing = `/api/jobs/job_${'0'.repeat(32)}`
  const aKey = async () => (await issueKey(edge, { org: freshOrganization() })).key

  test('weighs as much as 100 requests, and shuts nobody out at once', async () => {
    const [key, other] = [await aKey(), await aKey()]
    // Two are its share; the answer to the question for more counts a moment later.
    const { statuses, reply } = await untilRefused(9, () => from('192.0.2.7', key, {}, missing))
    expect(statuses.slice(0, 3)).toEqual([404, 404, 404])
    expect(reply.body).toEqual({ detail: 'Too many requests' })
    // It is refused whatever it asks for; others are not.
    expect((await from('192.0.2.7', key)).status).toBe(429)
    expect((await from('192.0.2.7', other)).status).toBe(200)
  })

  test.each([
    ['on every path of a job', '/errors'],
    ['on every path of a job', '/events'],
    ['on every path of a job', '/status'],
  ])('weighs that %s: %s', async (_, path) => {
    const key = await aKey()
    const { statuses } = await untilRefused(9, () => from('192.0.2.7', key, {}, missing + path))
    expect(statuses.length).toBeLessThan(20)
  })

  test('is refused once too many of them come at the same time', async () => {
    const roomy = await startEdge({ rateLimits: { REQUESTS: 50 } })
    onTestFinished(() => roomy.dispose())
    const { key } = await issueKey(roomy, { org: freshOrganization() })
    const statuses = new Map<number, number>()
    let left = 500
    const ask = async () => {
      while (left-- > 0) {
        const { status } = await call(roomy, key, 'GET', `/api/jobs/job_${left}`)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 64 }, ask))
    expect([...statuses.keys()].toSorted()).toEqual([404, 429])
    expect(statuses.get(429)).toBeGreaterThan(250)
  })

  test('is none where it cannot be a job: no object is made, and it weighs as any request', async () => {
    const key = await aKey()
    const before = await objectsOf(edge)
    for (let n = 0; n < 50; n++) {
      const id = ['no.id', 'x'.repeat(129), '%C3%A4', 'a%20b'][n % 4]
      expect((await from('192.0.2.8', key, {}, `/api/jobs/${id}`)).status).toBe(404)
      const elsewhere = { 'X-Organization-ID': 'not-mine' }
      expect((await from('192.0.2.8', key, elsewhere, missing)).status).toBe(404)
    }
    expect(await objectsOf(edge)).toEqual(before)
    expect((await from('192.0.2.8', key, {}, missing)).status).toBe(404)
    expect(await objectsOf(edge)).not.toEqual(before)
  })
})

/** The job objects that there are, by their files. */
async function objectsOf({ d1File }: Edge): Promise<string[]> {
  const folder = join(await d1File(), '../../../do/milepost-JobObject')
  return (await readdir(folder)).filter((name) => name.endsWith('.sqlite')).toSorted()
}
