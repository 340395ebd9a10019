import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { FakeStytch, type SessionOptions } from './fake-stytch.ts'
import { aWorker, NEW_JOB } from './fixtures.ts'
import { call, freshOrganization, type Reply, startEdge } from './harness.ts'

const OWN_PAGE = { 'Sec-Fetch-Site': 'same-origin' }

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
beforeEach(() => void stytch.calls.splice(0))
afterEach(() => {
  stytch.state = 'up'
})

/** A member's browser. */
function browserOf(options: SessionOptions) {
  const token = stytch.signIn(options)
  const cookie = (jwt?: string) =>
    `stytch_session=${token}${jwt === undefined ? '' : `; stytch_session_jwt=${jwt}`}`
  const send = (method: string, path: string, more: { body?: object; jwt?: string; headers?: object } = {}) =>
    call(edge, null, method, path, more.body, { ...OWN_PAGE, Cookie: cookie(more.jwt), ...more.headers })
  return { token, send }
}

const asked = () =>
  stytch.calls.filter(({ path }) => path === 'sessions/authenticate').map(({ body }) => body)

describe('A member', () => {
  test('may do what the role permits in the organization, and sees what its keys do', async () => {
    const org = freshOrganization()
    const { send, token } = browserOf({ org })
    const created = await send('POST', '/api/jobs/', { body: NEW_JOB })
    expect(created.status).toBe(200)
    const path = `/api/jobs/${created.body.job_id}`
    expect((await send('POST', `${path}/cancel`)).body.status).toBe('cancelled')
    expect((await send('GET', (await aWorker(edge, {}, { org })).path)).status).toBe(200)

    const check = (action: string) => ({ organization_id: org, resource_id: 'job', action })
    expect(asked()).toEqual([
      { session_token: token },
      ...['create', 'cancel', 'read'].map((action) => ({
        session_token: token,
        authorization_check: check(action),
      })),
    ])
  })

  test('finds no job of another organization, whichever organization the header names', async () => {
    const [org, other] = [freshOrganization(), freshOrganization()]
    const { path } = await aWorker(edge, {}, { org: other })
    const { send } = browserOf({ org })
    for (const named of [undefined, org, other]) {
      const headers = named === undefined ? {} : { 'X-Organization-ID': named }
      expect(await send('GET', path, { headers })).toMatchObject({
        status: 404,
        body: { detail: 'Job not found' },
      })
    }
    const own = await send('GET', (await aWorker(edge, {}, { org })).path, {
      headers: { 'X-Organization-ID': org },
    })
    expect(own.status).toBe(200)
  })

  test('costs two calls a minute for each permission, however often it is used', async () => {
    const org = freshOrganization()
    const { send } = browserOf({ org })
    const { path } = await aWorker(edge, {}, { org })
    for (let n = 0; n < 10; n++) expect((await send('GET', path)).status).toBe(200)
    expect(asked()).toHaveLength(2)
  })
})

describe('A cookie that is not a session', () => {
  const refused = { status: 401, body: { detail: 'Invalid credentials' } }

  test('is refused, and Stytch is asked about it once', async () => {
    for (let n = 0; n < 3; n++) {
      const reply = await call(edge, null, 'GET', '/api/jobs/', undefined, {
        Cookie: 'stytch_session=made-up',
      })
      expect(reply).toMatchObject(refused)
      expect(reply.headers.get('WWW-Authenticate')).toBe('Bearer')
    }
    expect(asked()).toEqual([{ session_token: 'made-up' }])
  })

  test('is refused without asking Stytch if it is too long for a token', async () => {
    const Cookie = `stytch_session=${'x'.repeat(5_000)}`
    expect(await call(edge, null, 'GET', '/api/jobs/', undefined, { Cookie })).toMatchObject(refused)
    expect(asked()).toEqual([])
  })

  test('is refused when the session has ended', async () => {
    const { send } = browserOf({ org: freshOrganization(), expiresAt: Date.now() })
    expect(await send('GET', '/api/jobs/')).toMatchObject(refused)
    const { token, send: sendAgain } = browserOf({ org: freshOrganization() })
    stytch.signOut(token)
    expect(await sendAgain('GET', '/api/jobs/')).toMatchObject(refused)
  })

  test('is ignored beside a key', async () => {
    const [org, other] = [freshOrganization(), freshOrganization()]
    const { send } = browserOf({ org: other })
    const { path, key } = await aWorker(edge, {}, { org })
    expect((await send('GET', path, { headers: { Authorization: `Bearer ${key}` } })).status).toBe(200)
    expect(await send('GET', path, { headers: { Authorization: `Bearer ${key}x` } })).toMatchObject(refused)
    expect(asked()).toEqual([])
  })

  test('is not a credential if no Stytch project is configured', async () => {
    const bare = await startEdge({ bindings: { STYTCH_BASE_URL: stytch.url } })
    try {
      const Cookie = `stytch_session=${stytch.signIn({ org: freshOrganization() })}`
      expect(await call(bare, null, 'GET', '/api/jobs/', undefined, { Cookie })).toMatchObject({
        status: 401,
        body: { detail: 'Not authenticated' },
      })
      const Authorization = `Bearer ${stytch.signIn({ org: freshOrganization() })}`
      expect(await call(bare, null, 'GET', '/api/jobs/', undefined, { Authorization })).toMatchObject(refused)
      expect(stytch.calls).toEqual([])
    } finally {
      await bare.dispose()
    }
  })
})

describe('While Stytch does not answer', () => {
  test.each(['silent', 'broken', 'locked'] as const)(
    '(%s) a remembered session keeps working, and any other gets 503',
    async (state) => {
      const org = freshOrganization()
      const [known, unknown] = [browserOf({ org }), browserOf({ org })]
      const { path } = await aWorker(edge, {}, { org })
      expect((await known.send('GET', path)).status).toBe(200)
      stytch.state = state
      expect((await known.send('GET', path)).status).toBe(200)
      for (const reply of [
        await unknown.send('GET', path),
        await known.send('POST', '/api/jobs/', { body: NEW_JOB }),
      ]) {
        expect(reply).toMatchObject({
          status: 503,
          body: { detail: 'Credentials cannot be checked right now' },
        })
        expect(reply.headers.get('Retry-After')).toBe('5')
      }
      stytch.state = 'up'
      expect((await unknown.send('GET', path)).status).toBe(200)
    },
  )
})

describe('A JWT beside the session', () => {
  test('saves the calls to Stytch', async () => {
    const org = freshOrganization()
    const { send, token } = browserOf({ org, actions: ['read'] })
    const jwt = stytch.jwt(token)
    const { path } = await aWorker(edge, {}, { org })
    // The policy is fetched for the first permission and kept, so it lacks later roles.
    expect((await send('GET', path, { jwt })).status).toBe(200)
    const second = browserOf({ org, actions: ['read'] })
    expect((await second.send('GET', path, { jwt })).status).toBe(200)
    expect(asked()).toEqual([])
    expect(stytch.count('rbac/policy')).toBe(1)
    // What the JWT does not prove is asked of Stytch.
    expect((await send('POST', '/api/jobs/', { jwt, body: NEW_JOB })).status).toBe(403)
    expect(asked()).toHaveLength(1)
  })

  test.each([
    ['signed by a stranger', { signedBy: 'stranger' as const }],
    ['of another project', { audience: 'project-test-other' }],
    ['of another issuer', { issuer: 'https://evil.example' }],
    ['that has expired', { issuedAt: Date.now() - 301_000 }],
    ['that is older than a minute: the session may have been revoked', { issuedAt: Date.now() - 61_000 }],
    ['from the future: the clock was set back', { issuedAt: Date.now() + 3_600_000 }],
  ])('%s proves nothing: Stytch is asked about the session', async (_, order) => {
    const org = freshOrganization()
    const { send, token } = browserOf({ org })
    const jwt = stytch.jwt(token, order)
    const { path } = await aWorker(edge, {}, { org })
    expect((await send('GET', path, { jwt })).status).toBe(200)
    expect(asked()).toHaveLength(2)
    stytch.signOut(token)
    const Cookie = `stytch_session=made-up-too; stytch_session_jwt=${jwt}`
    expect((await call(edge, null, 'GET', '/api/jobs/', undefined, { Cookie })).status).toBe(401)
  })
})

describe('A session in the Authorization header', () => {
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
  const refused = { status: 401, body: { detail: 'Invalid credentials' } }
  const proofs: [string, (token: string) => string][] = [
    ['its token', (token) => token],
    ['its JWT', (token) => stytch.jwt(token)],
    ['a JWT older than a minute', (token) => stytch.jwt(token, { issuedAt: Date.now() - 90_000 })],
    [
      'a JWT that has expired: its session goes on',
      (token) => stytch.jwt(token, { issuedAt: Date.now() - 600_000 }),
    ],
  ]

  test.each(proofs)(
    'is accepted as %s, with what the role permits in its organization',
    async (_, proofOf) => {
      const org = freshOrganization()
      const { path } = await aWorker(edge, {}, { org })
      const elsewhere = await aWorker(edge)
      const headers = bearer(proofOf(stytch.signIn({ org, actions: ['read', 'create'] })))
      expect((await call(edge, null, 'GET', path, undefined, headers)).status).toBe(200)
      const report = await call(edge, null, 'POST', `${path}/progress`, { processed_delta: 1 }, headers)
      expect(report).toMatchObject({ status: 200, body: { processed_items: 1 } })
      expect((await call(edge, null, 'POST', `${path}/cancel`, {}, headers)).status).toBe(403)
      expect((await call(edge, null, 'GET', elsewhere.path, undefined, headers)).status).toBe(404)
      const foreign = { ...headers, 'X-Organization-ID': elsewhere.org }
      expect((await call(edge, null, 'GET', path, undefined, foreign)).status).toBe(404)
    },
  )

  test.each([{ Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'null' }, {}])(
    'may change a job from anywhere (%j), since no browser sends a header by itself',
    async (from) => {
      const headers = { ...bearer(stytch.signIn({ org: freshOrganization() })), ...from }
      const reply = await call(edge, null, 'POST', '/api/jobs/', NEW_JOB, headers)
      expect(reply.status).toBe(200)
      expect(reply.headers.get('Access-Control-Allow-Origin')).toBeNull()
    },
  )

  test('saves the calls to Stytch if it is a fresh JWT, and costs two a minute for each permission otherwise', async () => {
    const org = freshOrganization()
    const { path } = await aWorker(edge, {}, { org })
    const token = stytch.signIn({ org })
    const get = (proof: string) => call(edge, null, 'GET', path, undefined, bearer(proof))
    const old = stytch.jwt(token, { issuedAt: Date.now() - 90_000 })
    for (let n = 0; n < 3; n++) expect((await get(old)).status).toBe(200)
    expect(asked()).toEqual([
      { session_jwt: old },
      { session_jwt: old, authorization_check: { organization_id: org, resource_id: 'job', action: 'read' } },
    ])
    // Whose session a fresh one is needs no call. What it permits may need one: the policy that is kept may lack its role.
    stytch.calls.splice(0)
    expect((await get(stytch.jwt(token))).status).toBe(200)
    expect(asked().filter(({ authorization_check }) => authorization_check === undefined)).toEqual([])
  })

  test.each<[string, () => string]>([
    ['made up', () => 'made-up-in-a-header'],
    ['ended', () => stytch.signIn({ org: freshOrganization(), expiresAt: Date.now() })],
    [
      'a JWT that a stranger signed',
      () => stytch.jwt(stytch.signIn({ org: freshOrganization() }), { signedBy: 'stranger' }),
    ],
    [
      'a JWT of a session that was ended',
      () => {
        const token = stytch.signIn({ org: freshOrganization() })
        const jwt = stytch.jwt(token, { issuedAt: Date.now() - 90_000 })
        stytch.signOut(token)
        return jwt
      },
    ],
  ])('is refused if it is %s, and Stytch is asked about it once', async (_, proofOf) => {
    const headers = bearer(proofOf())
    for (let n = 0; n < 3; n++) {
      const reply = await call(edge, null, 'GET', '/api/jobs/', undefined, headers)
      expect(reply).toMatchObject(refused)
      expect(reply.headers.get('WWW-Authenticate')).toBe('Bearer')
    }
    expect(asked()).toHaveLength(1)
  })

  test.each(['mp_short', 'a b', 'token,', 'x'.repeat(5_000)])(
    'is refused without asking Stytch if it cannot be one: %s',
    async (proof) => {
      const reply = await call(edge, null, 'GET', '/api/jobs/', undefined, bearer(proof))
      expect(reply).toMatchObject(refused)
      expect(asked()).toEqual([])
    },
  )

  test('counts instead of a cookie beside it, even if it is wrong', async () => {
    const { send } = browserOf({ org: freshOrganization() })
    expect(await send('GET', '/api/jobs/', { headers: bearer('not-a-session') })).toMatchObject(refused)
    const [own, other] = [freshOrganization(), freshOrganization()]
    const { path } = await aWorker(edge, {}, { org: other })
    const beside = browserOf({ org: own })
    expect((await beside.send('GET', path, { headers: bearer(stytch.signIn({ org: other })) })).status).toBe(
      200,
    )
  })

  test.each(['silent', 'broken', 'locked'] as const)('gets 503 while Stytch is %s', async (state) => {
    stytch.state = state
    const headers = bearer(stytch.signIn({ org: freshOrganization() }))
    expect((await call(edge, null, 'GET', '/api/jobs/', undefined, headers)).status).toBe(503)
  })
})

describe('A change made with a cookie must come from our own page: it is', () => {
  const FOREIGN = 'https://evil.example'
  const cases: [string, (own: string) => Record<string, string>, boolean][] = [
    ['accepted by its origin', (own) => ({ Origin: own }), true],
    ['accepted by its Sec-Fetch-Site', () => ({ 'Sec-Fetch-Site': 'same-origin' }), true],
    ['accepted by both', (own) => ({ Origin: own, 'Sec-Fetch-Site': 'same-origin' }), true],
    ['refused from another origin', () => ({ Origin: FOREIGN }), false],
    ['refused from an opaque origin', () => ({ Origin: 'null' }), false],
    ['refused from another site', () => ({ 'Sec-Fetch-Site': 'cross-site' }), false],
    ['refused from a sibling site', (own) => ({ Origin: own, 'Sec-Fetch-Site': 'same-site' }), false],
    [
      'refused if the two headers disagree',
      () => ({ Origin: FOREIGN, 'Sec-Fetch-Site': 'same-origin' }),
      false,
    ],
    ['refused without either header', () => ({}), false],
  ]

  test.each(cases)('%s', async (_, headersOf, passes) => {
    const org = freshOrganization()
    const Cookie = `stytch_session=${stytch.signIn({ org })}`
    const headers = headersOf(edge.url)
    const reply = await call(edge, null, 'POST', '/api/jobs/', NEW_JOB, { Cookie, ...headers })
    expect(reply).toMatchObject(
      passes
        ? { status: 200 }
        : { status: 403, body: { detail: 'Pages of other sites cannot change anything with a session' } },
    )
    if (!passes) expect(asked()).toEqual([])
    // Reading changes nothing, and no browser sends a key by itself.
    const { path, post } = await aWorker(edge, {}, { org })
    expect((await call(edge, null, 'GET', path, undefined, { Cookie, ...headers })).status).toBe(200)
    expect((await post('/api/jobs/', NEW_JOB, headers)).status).toBe(200)
  })
})

describe('Pages of other origins', () => {
  const SHOP = 'https://shop.example'
  const opened = (reply: Reply) => ({
    origin: reply.headers.get('Access-Control-Allow-Origin'),
    credentials: reply.headers.get('Access-Control-Allow-Credentials'),
    vary: reply.headers.get('Vary'),
  })
  const closed = { origin: null, credentials: null }
  const preflight = { 'Access-Control-Request-Method': 'POST' }

  test('cannot read replies by default', async () => {
    const { send } = browserOf({ org: freshOrganization() })
    const reply = await send('GET', '/api/jobs/', { headers: { Origin: SHOP } })
    expect(opened(reply)).toEqual({ ...closed, vary: null })
    const asking = await call(edge, null, 'OPTIONS', '/api/jobs/', undefined, { Origin: SHOP, ...preflight })
    expect(asking.status).toBe(405)
    expect(opened(asking)).toMatchObject(closed)
  })

  test('may call with cookies if ALLOWED_ORIGINS names them, and no others may', async () => {
    const shopEdge = await startEdge({
      bindings: { ...stytch.bindings, ALLOWED_ORIGINS: `${SHOP}, https://admin.example` },
    })
    try {
      const Cookie = `stytch_session=${stytch.signIn({ org: freshOrganization() })}`
      const post = (Origin: string) =>
        call(shopEdge, null, 'POST', '/api/jobs/', NEW_JOB, {
          Cookie,
          Origin,
          'Sec-Fetch-Site': 'cross-site',
        })
      const ask = (Origin: string) =>
        call(shopEdge, null, 'OPTIONS', '/api/jobs/', undefined, { Origin, ...preflight })

      const open = { origin: SHOP, credentials: 'true' }
      const named = await post(SHOP)
      expect(named.status).toBe(200)
      expect(opened(named)).toEqual({ ...open, vary: 'Origin' })
      expect(named.headers.get('Access-Control-Expose-Headers')).toContain('Job-Status')
      const permitted = await ask(SHOP)
      expect(permitted.status).toBe(204)
      expect(opened(permitted)).toMatchObject(open)
      const headers = permitted.headers.get('Access-Control-Allow-Headers')?.split(',')
      expect(headers).toEqual(expect.arrayContaining(['X-Organization-ID', 'If-None-Match']))

      for (const origin of [
        'https://evil.example',
        'https://shop.example.evil.example',
        'http://shop.example',
      ]) {
        const reply = await post(origin)
        expect(reply.status).toBe(403)
        expect(opened(reply)).toEqual({ ...closed, vary: 'Origin' })
        expect(opened(await ask(origin))).toMatchObject(closed)
      }
      // The page can read a refusal as well.
      const refused = await call(shopEdge, null, 'GET', '/api/jobs/', undefined, { Origin: SHOP })
      expect(refused.status).toBe(401)
      expect(opened(refused)).toMatchObject(open)
    } finally {
      await shopEdge.dispose()
    }
  })
})
