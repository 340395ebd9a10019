import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { isServerApiKey } from '../../access/server-api-key.ts'
import type { SessionCookies } from '../../access/stytch-sessions.ts'
import { MAX_SESSION_TOKEN } from '../../jobs/limits.ts'
import type { EdgeEnv } from '../edge-env.ts'

const BEARER = /^bearer +(\S+) *$/i
/** The form of Stytch's tokens and JWTs. */
const TOKEN = new RegExp(`^[\\w.~+/=-]{1,${MAX_SESSION_TOKEN}}$`)

export type Credential =
  | { kind: 'none' | 'malformed' }
  | { kind: 'key'; key: string }
  | { kind: 'session'; cookies: SessionCookies }

/**
 * The credential of a request. If both are sent, the key counts, even an invalid one: a key is sent on purpose, while
 * browsers attach cookies to every request. Without a Stytch project, cookies are ignored.
 */
export function readCredential(c: Context<EdgeEnv>): Credential {
  const authorization = c.req.header('Authorization')
  if (authorization !== undefined) {
    const key = BEARER.exec(authorization)?.[1]
    return key !== undefined && isServerApiKey(key) ? { kind: 'key', key } : { kind: 'malformed' }
  }
  const { STYTCH_PROJECT_ID, STYTCH_SECRET } = c.env
  const token = getCookie(c, 'stytch_session')
  if (token === undefined || !STYTCH_PROJECT_ID || !STYTCH_SECRET) return { kind: 'none' }
  if (!TOKEN.test(token)) return { kind: 'malformed' }
  const jwt = getCookie(c, 'stytch_session_jwt')
  return { kind: 'session', cookies: { token, jwt: jwt !== undefined && TOKEN.test(jwt) ? jwt : undefined } }
}
