import { drizzle } from 'drizzle-orm/d1'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { PERMISSIONS } from '../../src/access/caller.ts'
import { newServerApiKey } from '../../src/access/server-api-key.ts'
import { revokeApiKey } from '../../src/store/api-keys.ts'
import { FakeStytch } from './fake-stytch.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'
import { type Case, cases, casesAbout } from './security-cases.ts'

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

/** An organization with one job, and a look at that job which shows all that a request might have changed. */
async function aJob({ ofFinished }: Case) {
  const org = freshOrganization()
  const { key } = await issueKey(edge, { org })
  const created = await call(edge, key, 'POST', '/api/jobs/', { job_type: 'import', total_items: 3 })
  const id: string = created.body.job_id
  if (ofFinished) await call(edge, key, 'POST', `/api/jobs/${id}/cancel`)
  const look = async () => ({
    job: (await call(edge, key, 'GET', `/api/jobs/${id}`)).text,
    jobs: (await call(edge, key, 'GET', '/api/jobs/')).body.jobs.length,
  })
  return { org, id, look }
}

type Headers = Record<string, string>
const bearer = (key: string): Headers => ({ Authorization: `Bearer ${key}` })
const cookie = (token: string): Headers => ({ Cookie: `stytch_session=${token}` })

function ask({ method, path, body }: Case, id: string, headers: Headers) {
  return call(edge, null, method, path.replace('{job_id}', id), body, headers)
}

/** All that is no credential, of someone who knows the organization and the job. */
const nobodies: Record<string, (org: string) => Headers | Promise<Headers>> = {
  'no credential': () => ({}),
  'a malformed one': () => bearer('mp_short'),
  'another scheme': () => ({ Authorization: 'Basic dXNlcjpwYXNz' }),
  'an unknown key': () => bearer(newServerApiKey()),
  'an expired key': async (org) => bearer((await issueKey(edge, { org, expiresAt: Date.now() })).key),
  'a revoked key': async (org) => {
    const { key, keyId } = await issueKey(edge, { org })
    await revokeApiKey(drizzle(await edge.d1()), org, keyId, Date.now())
    return bearer(key)
  },
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

  test.each(Object.entries(nobodies))('with %s: 401, and nothing happens', async (name, headersOf) => {
    const { org, id, look } = await aJob(each)
    const before = await look()
    for (const more of [{}, { 'X-Organization-ID': org }]) {
      const reply = await ask(each, id, { ...(await headersOf(org)), ...more })
      const detail = name === 'no credential' ? 'Not authenticated' : 'Invalid credentials'
      expect(reply).toMatchObject({ status: 401, body: { detail } })
      expect(reply.headers.get('WWW-Authenticate')).toBe('Bearer')
    }
    expect(await look()).toEqual(before)
  })

  test('with every permission but the one it needs: 403, and nothing happens', async () => {
    const { org, id, look } = await aJob(each)
    const before = await look()
    const others = PERMISSIONS.filter((permission) => permission !== needs)
    const { key } = await issueKey(edge, { org, permissions: others })
    const actions = others.map((permission) => permission.replace('job:', ''))
    const session = { ...cookie(stytch.signIn({ org, actions })), 'Sec-Fetch-Site': 'same-origin' }
    for (const headers of [bearer(key), session]) {
      expect(await ask(each, id, headers)).toMatchObject(lacking)
      // Also where the organization is not theirs: who may not, learns nothing of what is where.
      expect(await ask(each, id, { ...headers, 'X-Organization-ID': 'another' })).toMatchObject(lacking)
    }
    expect(await look()).toEqual(before)
  })

  test('with a session: as with a key, of its own organization only', async () => {
    const { org, id, look } = await aJob(each)
    const before = await look()
    const page = { 'Sec-Fetch-Site': 'same-origin' }
    const stranger = { ...cookie(stytch.signIn({ org: freshOrganization() })), ...page }
    const own = { ...cookie(stytch.signIn({ org })), ...page }
    const missing = { status: 404, body: { detail: expect.stringMatching(/^(Job|Organization) not found$/) } }
    expect(await ask(each, id, { ...stranger, 'X-Organization-ID': org })).toMatchObject(missing)
    expect(await ask(each, id, { ...own, 'X-Organization-ID': 'another' })).toMatchObject(missing)
    if (each.about === 'job') expect(await ask(each, id, stranger)).toMatchObject(missing)
    expect(await look()).toEqual(before)
    expect((await ask(each, id, own)).status).toBe(200)
  })

  test('with a session, from a page of another origin: it changes nothing, and that page reads nothing', async () => {
    const { org, id, look } = await aJob(each)
    const before = await look()
    const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    const reply = await ask(each, id, { ...cookie(stytch.signIn({ org })), ...foreign })
    expect(reply.status).toBe(changes ? 403 : 200)
    expect(reply.headers.get('Access-Control-Allow-Origin')).toBeNull()
    expect(await look()).toEqual(before)
  })

  test('with a key of several organizations: the header chooses, and without it 400 says so', async () => {
    const { org, id, look } = await aJob(each)
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
  test.each(Object.entries(nobodies))('with %s: as with any other', async (_, headersOf) => {
    expect((await ask(each, '', await headersOf(freshOrganization()))).status).toBe(200)
  })
})
