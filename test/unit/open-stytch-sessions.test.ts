import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Permission } from '../../src/access/caller.ts'
import { openStytchSessions } from '../../src/access/open-stytch-sessions.ts'
import { FakeStytch } from '../edge/fake-stytch.ts'

const HOUR = 3_600_000

let stytch: FakeStytch

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  // The SDK logs a remark about an address that is not Stytch's.
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  stytch = await FakeStytch.open()
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await stytch.close()
})

function open() {
  const project = { id: stytch.projectId, secret: stytch.secret, url: stytch.url }
  return openStytchSessions(project, { now: Date.now, onError: () => {} })
}

/** The permissions of a member with a fresh JWT. */
async function may(token: string, permission: Permission) {
  const cookies = { token, jwt: stytch.jwt(token) }
  const checked = await open().check(cookies, token)
  return checked.ok ? await open().permits(cookies, token, checked.caller, permission) : checked.reason
}

test('a project is opened once, until another takes its place', () => {
  const first = open()
  expect(open()).toBe(first)
  const other = { id: stytch.projectId, secret: 'secret-test-other', url: stytch.url }
  expect(openStytchSessions(other, { now: Date.now, onError: () => {} })).not.toBe(first)
})

test.each([
  ['back an hour', -HOUR],
  ['forward an hour', HOUR],
])('a policy remembered before the clock is set %s permits nothing more', async (_, step) => {
  const token = stytch.signIn({ org: 'acme', expiresAt: Date.now() + 3 * HOUR })
  expect(await may(token, 'job:read')).toBe('yes')
  expect(stytch.count('rbac/policy')).toBe(1)
  stytch.permit(token, [])
  vi.setSystemTime(Date.now() + step)
  expect(await may(token, 'job:read')).toBe('no')
  expect(stytch.count('rbac/policy')).toBe(2)
})
