import type { Fetch } from 'milepost'
import type { Tenant } from './edge-commands.ts'
import type { Run } from './run.ts'
import type { Stage } from './stage.ts'

const DAY = 24 * 60 * 60 * 1_000

/**
 * A connection with a member's session instead of a server API key. Each request carries a JWT that is fresh by the edge's
 * clock, so checking it needs no D1 and usually no Stytch.
 */
export function connectWithSession({ stage, clock }: Run, tenant: Tenant): ReturnType<Stage['connectionOf']> {
  const { stytch } = stage
  const token = stytch.signIn({ org: tenant.organization, expiresAt: Date.now() + 30 * DAY })
  const send: Fetch = (url, init) => {
    const headers = new Headers(init.headers)
    const jwt = stytch.jwt(token, { issuedAt: Date.now() + clock.offset })
    headers.delete('authorization')
    headers.set('cookie', `stytch_session=${token}; stytch_session_jwt=${jwt}`)
    headers.set('sec-fetch-site', 'same-origin')
    return fetch(url, { ...init, headers })
  }
  return { ...stage.connectionOf(tenant), fetch: send }
}
