import type { Connection, Fetch } from '../../src/client/send-with-retries.ts'
import { ORGANIZATION } from './orders.ts'
import type { Run } from './run.ts'

const DAY = 24 * 60 * 60 * 1_000

/**
 * For a client that has a member's session in place of a server API key. Each request brings a fresh JWT, by the clock of
 * the edge, so that it needs neither D1 nor, most of the time, Stytch.
 */
export function connectWithSession({ stage, clock }: Run): Connection {
  const { stytch } = stage
  const token = stytch.signIn({ org: ORGANIZATION, expiresAt: Date.now() + 30 * DAY })
  const send: Fetch = (url, init) => {
    const headers = new Headers(init.headers)
    const jwt = stytch.jwt(token, { issuedAt: Date.now() + clock.offset })
    headers.delete('authorization')
    headers.set('cookie', `stytch_session=${token}; stytch_session_jwt=${jwt}`)
    headers.set('sec-fetch-site', 'same-origin')
    return fetch(url, { ...init, headers })
  }
  return { ...stage.connection, fetch: send }
}
