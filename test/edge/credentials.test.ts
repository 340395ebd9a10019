import { drizzle } from 'drizzle-orm/d1'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { PERMISSIONS } from '../../src/access/caller.ts'
import { newServerApiKey } from '../../src/access/server-api-key.ts'
import { revokeApiKey } from '../../src/store/api-keys.ts'
import { ask as askEndpoint, type Case, cases, casesAbout } from './endpoint-cases.ts'
import { FakeStytch } from './fake-stytch.ts'
import { aCaller, aGuardedJob, NEW_JOB } from './fixtures.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'

let edge: Edge
let stytch: FakeStytch

beforeAll(async () => {
  stytch = await FakeStytch.open()
  edge = await startEdge({ bindings: stytch.bindings })
})
afterAll(async () => {
  await edge?.dispose()
  await stytch?.close()
})

type Headers = Record<string, string>
const bearer = (key: string): Headers => ({ Authorization: `Bearer ${key}` })
const cookie = (token: string): Headers => ({ Cookie: `stytch_session=${token}` })

function ask(each: Case, id: string, headers: Headers) {
  return askEndpoint(edge, each, { id, headers })
}

/** Credentials of a caller who knows the organization and the job but must not get in. */
const invalid: Record<string, (org: string) => Headers | Promise<Headers>> = {
  'no credential': () => ({}),
  'another scheme': () => ({ Authorization: 'Basic dXNlcjpwYXNz' }),
  'no key after Bearer': () => ({ Authorization: 'Bearer' }),
  'something that is not a key': () => bearer('mp_short'),
  'a key cut short': async (org) => bearer((await issueKey(edge, { org })).key.slice(0, -1)),
  'a key without its scheme': async (org) => ({ Authorization: (await issueKey(edge, { org })).key }),
  'two keys': async (org) => bearer(`${(await issueKey(edge, { org })).key} ${newServerApiKey()}`),
  'an unknown key': () => bearer(newServerApiKey()),
  'an expired key': async (org) => bearer((await issueKey(edge, { org, expiresAt: Date.now() })).key),
  'a revoked key': async (org) => {
    const { key, keyId } = await issueKey(edge, { org })
    expect(await revokeApiKey(drizzle(await edge.d1()), org, keyId, Date.now())).toBe(true)
    return bearer(key)
  },
  'an unknown session in the header': () => bearer('a-token-that-nobody-has'),
  'a JWT that a stranger signed': (org) =>
    bearer(stytch.jwt(stytch.signIn({ org }), { signedBy: 'stranger' })),
  'an unknown session': () => ({ ...cookie(newServerApiKey()), 'Sec-Fetch-Site': 'same-origin' }),
  'an ended session': (org) => {
    const token = stytch.signIn({ org, expiresAt: Date.now() })
    return { ...cookie(token), 'Sec-Fetch-Site': 'same-origin' }
  },
  'a wrong key beside a good session': (org) => ({
    ...bearer(newServerApiKey()),
    ...cookie(stytch.signIn({ org })),
    'Sec-Fetch-Site': 'same-origin',
  }),
}

const guarded = cases.filter(({ permission }) => permission !== null)

describe.each(guarded)('$name', (each) => {
  const needs = each.permission ?? ''
  const lacking = { status: 403, body: { detail: `Missing required permission: ${needs}` } }
  const changes = each.method !== 'GET'

  describe('with an invalid credential: 401, and nothing changes', () => {
    // One job for all of them, since none may change it.
    let job: Awaited<ReturnType<typeof aGuardedJob>>
    beforeAll(async () => {
      job = await aGuardedJob(edge, each)
    })

    test.each(Object.entries(invalid))('%s', async (name, headersOf) => {
      const { org, jobId: id, look } = job
      const before = await look()
      for (const more of [{}, { 'X-Organization-ID': org }]) {
        const reply = await ask(each, id, { ...(await headersOf(org)), ...more })
        // Unknown, expired and revoked keys get the same words, so a stranger learns nothing about a key.
        const detail = name === 'no credential' ? 'Not authenticated' : 'Invalid credentials'
        expect(reply).toMatchObject({ status: 401, body: { detail } })
        expect(reply.headers.get('WWW-Authenticate')).toBe('Bearer')
      }
      expect(await look()).toEqual(before)
    })
  })

  test('with every permission except the one it needs: 403, and nothing changes', async () => {
    const { org, jobId: id, look } = await aGuardedJob(edge, each)
    const before = await look()
    const others = PERMISSIONS.filter((permission) => permission !== needs)
    const { key } = await issueKey(edge, { org, permissions: others })
    const actions = others.map((permission) => permission.replace('job:', ''))
    const session = { ...cookie(stytch.signIn({ org, actions })), 'Sec-Fetch-Site': 'same-origin' }
    for (const headers of [bearer(key), session]) {
      expect(await ask(each, id, headers)).toMatchObject(lacking)
      // The same for another organization: without the permission, a caller does not learn what exists.
      expect(await ask(each, id, { ...headers, 'X-Organization-ID': 'another' })).toMatchObject(lacking)
    }
    expect(await look()).toEqual(before)
  })

  test('with only the permission it needs: 200', async () => {
    const { org, jobId: id } = await aGuardedJob(edge, each)
    const { key } = await issueKey(edge, { org, permissions: [each.permission ?? 'job:read'] })
    expect((await ask(each, id, bearer(key))).status).toBe(200)
  })

  test('with a session: replies as to a key, for its own organization only', async () => {
    const { org, jobId: id, look } = await aGuardedJob(edge, each)
    const before = await look()
    const page = { 'Sec-Fetch-Site': 'same-origin' }
    const stranger = { ...cookie(stytch.signIn({ org: freshOrganization() })), ...page }
    const own = { ...cookie(stytch.signIn({ org })), ...page }
    const missing = { status: 404, body: { detail: expect.stringMatching(/^(Job|Organization) not found$/) } }
    expect(await ask(each, id, { ...stranger, 'X-Organization-ID': org })).toMatchObject(missing)
    expect(await ask(each, id, { ...own, 'X-Organization-ID': 'another' })).toMatchObject(missing)
    if (each.about === 'job') expect(await ask(each, id, stranger)).toMatchObject(missing)
    expect(await look()).toEqual(before)
    // In the header, a session may also come from a page of another site, or from none.
    const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    const inHeader = { ...bearer(stytch.signIn({ org: freshOrganization() })), ...foreign }
    if (each.about === 'job') expect(await ask(each, id, inHeader)).toMatchObject(missing)
    expect(await look()).toEqual(before)
    const ownInHeader = { ...bearer(stytch.signIn({ org })), ...foreign }
    expect((await ask(each, id, ownInHeader)).status).toBe(200)
    expect((await ask(each, id, own)).status).toBe(200)
  })

  test('with a session, from a page of another origin: nothing changes, and the page cannot read the reply', async () => {
    const { org, jobId: id, look } = await aGuardedJob(edge, each)
    const before = await look()
    const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    const reply = await ask(each, id, { ...cookie(stytch.signIn({ org })), ...foreign })
    expect(reply.status).toBe(changes ? 403 : 200)
    expect(reply.headers.get('Access-Control-Allow-Origin')).toBeNull()
    expect(await look()).toEqual(before)
  })

  test('with a key of several organizations: the header chooses one, and without it the reply is 400', async () => {
    const { org, jobId: id, look } = await aGuardedJob(edge, each)
    const before = await look()
    const other = freshOrganization()
    const { key } = await issueKey(edge, { org: [other, org] })
    expect(await ask(each, id, bearer(key))).toMatchObject({
      status: 400,
      body: { detail: 'The credential has several organizations: send X-Organization-ID' },
    })
    const elsewhere = await ask(each, id, { ...bearer(key), 'X-Organization-ID': other })
    expect(elsewhere.status).toBe(each.about === 'job' ? 404 : 200)
    expect(await look()).toEqual(before)
    expect((await ask(each, id, { ...bearer(key), 'X-Organization-ID': org })).status).toBe(200)
  })
})

describe.each(casesAbout('nobody'))('$name', (each) => {
  test.each(Object.entries(invalid))('with %s: 200, as for anyone', async (_, headersOf) => {
    expect((await ask(each, '', await headersOf(freshOrganization()))).status).toBe(200)
  })
})

test('a key that expires later works, and the case of its scheme does not matter', async () => {
  const { key } = await aCaller(edge, { expiresAt: Date.now() + 3_600_000 })
  const reply = await call(edge, null, 'POST', '/api/jobs/', NEW_JOB, { Authorization: `bEaReR ${key}` })
  expect(reply.status).toBe(200)
})
