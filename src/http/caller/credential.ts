import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { isServerApiKey } from '../../access/server-api-key.ts'
import type { SessionCookies } from '../../access/stytch-sessions.ts'
import type { EdgeEnv } from '../edge-env.ts'

const BEARER = /^bearer +(\S+) *$/i
/** What could be one of Stytch's tokens or JWTs. */
const TOKEN = /^[\w.~+/=-]{1,4096}$/

export type Credential =
  | { kind: 'none' | 'malformed' }
  | { kind: 'key'; key: string }
  | { kind: 'session'; cookies: SessionCookies }

/**
 * The credential of a request. Of two, the key counts, even if it is wrong: whoever sends one means it, while a browser
 * sends its cookies unasked. Without a Stytch project, a cookie is no credential.
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
