import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { newServerApiKey } from '../../src/access/server-api-key.ts'
import { FakeStytch } from './fake-stytch.ts'
import { aCaller, UNKNOWN_ID } from './fixtures.ts'
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

/** The status of each request until one is 429. Limits count per minute, and a test may run across two minutes. */
async function untilRefused(most: number, ask: () => ReturnType<typeof call>) {
  const statuses: number[] = []
  while (statuses.length < 2 * most + 2) {
    const reply = await ask()
    statuses.push(reply.status)
    if (reply.status === 429) return { statuses, reply }
  }
  throw new Error(`none of ${statuses.length} requests was refused`)
}

test('an address that fails to authenticate too often gets 429, but keys that it used before still work', async () => {
  const address = '192.0.2.1'
  const org = freshOrganization()
  const [{ key: known }, { key: unseen }] = [await issueKey(edge, { org }), await issueKey(edge, { org })]
  expect((await from(address, known)).status).toBe(200)

  const { statuses, reply } = await untilRefused(MOST_FAILURES, () => from(address, newServerApiKey()))
  expect(new Set(statuses.slice(0, -1))).toEqual(new Set([401]))
  expect(statuses.length).toBeGreaterThan(MOST_FAILURES)
  expect(reply.body).toEqual({ detail: 'Too many failed authentications' })
  expect(reply.headers.get('Retry-After')).toBe('10')

  // No unseen key is looked up for this address, not even a valid one: otherwise guessing could go on.
  for (const key of [unseen, newServerApiKey()]) expect((await from(address, key)).status).toBe(429)
  expect((await from(address, known)).status).toBe(200)
  // Other addresses are not affected, nor are requests without a credential.
  expect((await from('192.0.2.2', newServerApiKey())).status).toBe(401)
  expect((await from('192.0.2.3', unseen)).status).toBe(200)
  expect((await from(address, null)).status).toBe(401)
})

test('made-up sessions in the header count as failures, too', async () => {
  const address = '192.0.2.9'
  let n = 0
  const guess = () => from(address, n++ % 2 === 0 ? `made-up-${n}` : `made.up.${n}`)
  const { statuses } = await untilRefused(MOST_FAILURES, guess)
  expect(new Set(statuses.slice(0, -1))).toEqual(new Set([401]))
  // Nor is an unseen session of a member asked about now.
  const asked = stytch.calls.length
  expect((await from(address, stytch.signIn({ org: freshOrganization() }))).status).toBe(429)
  expect(stytch.calls).toHaveLength(asked)
})

test('requests without a credential or with a valid one do not count as failures', async () => {
  const { key } = await aCaller(edge)
  for (let n = 0; n < 2 * MOST_FAILURES + 2; n++) {
    expect((await from('192.0.2.4', null)).status).toBe(401)
    expect((await from('192.0.2.4', key)).status).toBe(200)
  }
})

test('a refusal by Stytch of our own credentials does not count against the caller, and is logged at intervals', async () => {
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

test('a key that makes too many requests gets 429, and other keys are not affected', async () => {
  const org = freshOrganization()
  const [{ key: busy }, { key: other }] = [await issueKey(edge, { org }), await issueKey(edge, { org })]
  // Its share is 200 requests; asking for more takes effect a moment later.
  const { statuses, reply } = await untilRefused(300, () => from('192.0.2.5', busy))
  expect(statuses.length).toBeGreaterThan(200)
  expect(reply.body).toEqual({ detail: 'Too many requests' })
  expect(reply.headers.get('Retry-After')).toBe('10')
  expect((await from('192.0.2.5', other)).status).toBe(200)
})

describe('A request for a job that does not exist', () => {
  const missing = `/api/jobs/${UNKNOWN_ID}`

  test('counts as 100 requests, but a few of them shut nobody out', async () => {
    const [{ key }, { key: other }] = [await aCaller(edge), await aCaller(edge)]
    // Its share is two of these; asking for more takes effect a moment later.
    const { statuses, reply } = await untilRefused(9, () => from('192.0.2.7', key, {}, missing))
    expect(statuses.slice(0, 3)).toEqual([404, 404, 404])
    expect(reply.body).toEqual({ detail: 'Too many requests' })
    // Now the key is refused whatever it asks for; other keys are not.
    expect((await from('192.0.2.7', key)).status).toBe(429)
    expect((await from('192.0.2.7', other)).status).toBe(200)
  })

  test.each(['/errors', '/events', '/status'])('counts as much on …%s', async (path) => {
    const { key } = await aCaller(edge)
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

  test('counts as one request if the ID cannot be a job’s: no object is made for it', async () => {
    const { key } = await aCaller(edge)
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

/** The files of all job objects. */
async function objectsOf({ d1File }: Edge): Promise<string[]> {
  const folder = join(await d1File(), '../../../do/milepost-JobObject')
  return (await readdir(folder)).filter((name) => name.endsWith('.sqlite')).toSorted()
}
