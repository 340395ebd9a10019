import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Permission, SessionCaller } from '../../src/access/caller.ts'
import { type SessionProof, type StytchCalls, StytchSessions } from '../../src/access/stytch-sessions.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const COOKIES = { token: 'secret-token', jwt: undefined }

type Asked = Parameters<StytchCalls['authenticate']>[0]

/** An error as Stytch's SDK throws it. */
function refusal(status_code: number, error_type: string): Error {
  return Object.assign(new Error(`{"secret":"${COOKIES.token}"}`), { status_code, error_type })
}

/** A Stytch with one session, which a test can change, count and take down. */
function setUp({ expiresAt = Date.now() + 60 * MINUTE } = {}) {
  const stytch = {
    expiresAt,
    failure: undefined as Error | undefined,
    isSilent: false,
    asked: [] as Asked[],
    jwtsLookedAt: [] as object[],
    provenByJwt: false,
  }
  const session = () => ({
    member_session_id: 'session-1',
    organization_id: 'acme',
    expires_at: new Date(stytch.expiresAt).toISOString(),
  })
  const errors: unknown[] = []
  const calls = {
    authenticate: async (request: Asked) => {
      stytch.asked.push(request)
      if (stytch.isSilent) await new Promise(() => {})
      if (stytch.failure) throw stytch.failure
      return { member_session: session() }
    },
    authenticateJwtLocal: async (request: object) => {
      stytch.jwtsLookedAt.push(request)
      if (!stytch.provenByJwt) throw new Error('jwt_invalid')
      return session()
    },
  }
  const sessions = new StytchSessions({
    stytch: calls as unknown as StytchCalls,
    now: Date.now,
    onError: (error) => void errors.push(error),
  })
  const caller: SessionCaller = { kind: 'session', id: 'session-1', organizationIds: ['acme'], expiresAt }
  return {
    stytch,
    errors,
    sessions,
    caller,
    check: () => sessions.check(COOKIES, 'hash'),
    may: (permission: Permission = 'job:read', cookies: SessionProof = COOKIES) =>
      sessions.permits(cookies, 'hash', caller, permission),
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => void vi.useFakeTimers({ now: 1_000 * MINUTE }))
afterEach(() => void vi.useRealTimers())

describe('A positive reply of Stytch', () => {
  test('is remembered for 60 s, about the session as well as a permission', async () => {
    const { check, may, stytch, caller } = setUp()
    for (let second = 0; second < 60; second++) {
      expect(await check()).toEqual({ ok: true, caller })
      expect(await may()).toBe('yes')
      await pass(SECOND)
    }
    expect(stytch.asked).toEqual([
      { session_token: 'secret-token' },
      {
        session_token: 'secret-token',
        authorization_check: { organization_id: 'acme', resource_id: 'job', action: 'read' },
      },
    ])
    stytch.failure = refusal(404, 'session_not_found')
    expect(await check()).toEqual({ ok: false, reason: 'unknown' })
    expect(await may()).toBe('ended')
  })

  test('is forgotten at the exact millisecond when the session ends', async () => {
    const { check, may, stytch } = setUp({ expiresAt: Date.now() + 10 * SECOND })
    await check()
    await may()
    await pass(10 * SECOND - 1)
    stytch.failure = refusal(404, 'session_not_found')
    expect((await check()).ok).toBe(true)
    expect(await may()).toBe('yes')
    await pass(1)
    expect(await check()).toEqual({ ok: false, reason: 'unknown' })
    expect(await may()).toBe('ended')
  })

  test('about one permission says nothing about another', async () => {
    const { may, stytch } = setUp()
    expect(await may()).toBe('yes')
    stytch.failure = refusal(403, 'session_authorization_error')
    expect(await may('job:cancel')).toBe('no')
    expect(await may()).toBe('yes')
  })

  test('about a session that has ended does not count', async () => {
    const { check, stytch } = setUp()
    stytch.expiresAt = Date.now()
    expect(await check()).toEqual({ ok: false, reason: 'unknown' })
  })
})

test('a negative reply is remembered for 10 s, so a new permission works soon', async () => {
  const { check, may, stytch } = setUp()
  stytch.failure = refusal(403, 'session_authorization_error')
  expect(await may()).toBe('no')
  stytch.failure = refusal(404, 'session_not_found')
  expect((await check()).ok).toBe(false)
  stytch.failure = undefined
  await pass(10 * SECOND - 1)
  expect([await may(), (await check()).ok]).toEqual(['no', false])
  expect(stytch.asked).toHaveLength(2)
  await pass(1)
  expect([await may(), (await check()).ok]).toEqual(['yes', true])
})

test('a session that turns out to have ended during a permission check is forgotten', async () => {
  const { check, may, stytch } = setUp()
  await check()
  stytch.failure = refusal(404, 'session_not_found')
  expect(await may()).toBe('ended')
  expect((await check()).ok).toBe(false)
})

describe('A failure that is not the session’s neither accepts nor refuses it:', () => {
  test.each([
    ['our own secret is refused', refusal(401, 'unauthorized_credentials')],
    ['our own secret is malformed', refusal(401, 'invalid_secret_authentication')],
    ['our own project is not known', refusal(400, 'invalid_project_id_authentication')],
    ['our own project is gone', refusal(404, 'project_not_found')],
    ['our own project is of another environment', refusal(401, 'unauthorized_project_id_live')],
    ['our own project is on another stack', refusal(400, 'wrong_stack_live')],
    ['our own project is not a B2B project', refusal(400, 'invalid_b2b_endpoint')],
    ['our own account is suspended', refusal(403, 'organization_suspended')],
    ['our own address is not allowed', refusal(403, 'ip_not_allowed')],
    ['we call an unknown route', refusal(404, 'route_not_found')],
    ['we call in a forbidden way', refusal(403, 'use_https')],
    ['an error that Stytch has not named yet', refusal(401, 'something_new')],
    ['an error without a name', Object.assign(new Error('no'), { status_code: 404 })],
    ['too many requests', refusal(429, 'too_many_requests')],
    ['an error of Stytch’s', refusal(500, 'internal_server_error')],
    ['no connection', new Error('connect ECONNREFUSED')],
  ])('%s', async (_, failure) => {
    const { check, may, stytch, errors } = setUp()
    stytch.failure = failure
    expect(await check()).toEqual({ ok: false, reason: 'unavailable' })
    expect(await may()).toBe('unavailable')
    expect(errors).toEqual([failure, failure])
    stytch.failure = undefined
    expect((await check()).ok).toBe(true)
  })

  test('no answer within 2 s', async () => {
    const { check, stytch, errors } = setUp()
    stytch.isSilent = true
    const checking = check()
    await pass(2 * SECOND)
    expect(await checking).toEqual({ ok: false, reason: 'unavailable' })
    expect(errors).toHaveLength(1)
  })

  test('a reply that makes no sense', async () => {
    const { check, stytch } = setUp()
    stytch.expiresAt = 8.64e15
    vi.spyOn(Date, 'parse').mockReturnValueOnce(Number.NaN)
    expect(await check()).toEqual({ ok: false, reason: 'unavailable' })
  })
})

test.each([
  [404, 'session_not_found'],
  [400, 'invalid_session_token'],
  [404, 'member_not_found'],
  [404, 'organization_not_found'],
  [401, 'attribute_mismatch'],
  [400, 'bad_request'],
])('The session’s own fault, and so a no: %d %s', async (status, type) => {
  const { check, may, stytch, errors } = setUp()
  stytch.failure = refusal(status, type)
  expect(await check()).toEqual({ ok: false, reason: 'unknown' })
  expect(await may()).toBe('ended')
  expect(errors).toEqual([])
})

describe('A JWT', () => {
  const cookies = { token: 'secret-token', jwt: 'header.claims.signature' }

  test('saves the call if it proves the reply, for at most a minute', async () => {
    const { sessions, caller, may, stytch } = setUp()
    stytch.provenByJwt = true
    expect(await sessions.check(cookies, 'hash')).toEqual({ ok: true, caller })
    expect(await may('job:read', cookies)).toBe('yes')
    expect(stytch.asked).toEqual([])
    const looked = { session_jwt: cookies.jwt, max_token_age_seconds: 60, current_date: new Date() }
    expect(stytch.jwtsLookedAt).toEqual([
      looked,
      { ...looked, authorization_check: { organization_id: 'acme', resource_id: 'job', action: 'read' } },
    ])
  })

  test('does not prove a refusal: Stytch is asked about what it does not permit', async () => {
    const { may, stytch } = setUp()
    expect(await may('job:read', cookies)).toBe('yes')
    expect(stytch.asked).toHaveLength(1)
  })

  test('without a token is what Stytch is asked about, if it proves nothing', async () => {
    const { sessions, caller, may, stytch } = setUp()
    const jwt = { token: undefined, jwt: cookies.jwt }
    expect(await sessions.check(jwt, 'hash')).toEqual({ ok: true, caller })
    expect(await may('job:read', jwt)).toBe('yes')
    expect(stytch.asked).toEqual([
      { session_jwt: cookies.jwt },
      {
        session_jwt: cookies.jwt,
        authorization_check: { organization_id: 'acme', resource_id: 'job', action: 'read' },
      },
    ])
  })

  test.each(['jwt_invalid_audience', 'jwt_invalid_claims', 'jwt_invalid_issuer', 'invalid_signature'])(
    'without a token is refused if Stytch says %s',
    async (type) => {
      const { sessions, stytch } = setUp()
      stytch.failure = refusal(401, type)
      const checked = await sessions.check({ token: undefined, jwt: cookies.jwt }, 'hash')
      expect(checked).toEqual({ ok: false, reason: 'unknown' })
    },
  )

  test('proves nothing once its session has ended', async () => {
    const { sessions, stytch } = setUp({ expiresAt: Date.now() })
    stytch.provenByJwt = true
    stytch.failure = refusal(404, 'session_not_found')
    expect(await sessions.check(cookies, 'hash')).toEqual({ ok: false, reason: 'unknown' })
  })
})

describe.each([
  ['back an hour', -HOUR],
  ['forward an hour', HOUR],
])('When the clock is set %s', (_, step) => {
  const setClock = () => vi.setSystemTime(Date.now() + step)

  test('a session that ended meanwhile is refused at once, and so are its permissions', async () => {
    const { check, may, sessions, stytch } = setUp({ expiresAt: Date.now() + 3 * HOUR })
    await check()
    await may()
    stytch.failure = refusal(404, 'session_not_found')
    setClock()
    expect(await sessions.recall(COOKIES, 'hash')).toBeUndefined()
    expect(await may()).toBe('ended')
    expect(await check()).toEqual({ ok: false, reason: 'unknown' })
  })

  test('a session refused before works at once, and so does a permission', async () => {
    const { check, may, stytch } = setUp({ expiresAt: Date.now() + 3 * HOUR })
    stytch.failure = refusal(403, 'session_authorization_error')
    expect(await may()).toBe('no')
    stytch.failure = refusal(404, 'session_not_found')
    expect((await check()).ok).toBe(false)
    stytch.failure = undefined
    setClock()
    expect([await may(), (await check()).ok]).toEqual(['yes', true])
  })
})
