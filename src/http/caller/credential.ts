import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { isServerApiKey, resemblesServerApiKey } from '../../access/server-api-key.ts'
import type { SessionProof } from '../../access/stytch-sessions.ts'
import { MAX_SESSION_TOKEN } from '../../jobs/limits.ts'
import type { EdgeEnv } from '../edge-env.ts'

const BEARER = /^bearer +(\S+) *$/i
/** The form of Stytch's tokens and JWTs. */
const TOKEN = new RegExp(`^[\\w.~+/=-]{1,${MAX_SESSION_TOKEN}}$`)

/** Three parts in base64url. Stytch's opaque tokens have no dots. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/

export type Credential =
  | { kind: 'none' | 'malformed' }
  | { kind: 'key'; key: string }
  | { kind: 'session'; proof: SessionProof; isCookie: boolean }

/**
 * The credential of a request. If it has the header and a cookie, the header counts, even an invalid one: it is sent on
 * purpose, while browsers attach cookies to every request. Without a Stytch project, there are no sessions.
 */
export function readCredential(c: Context<EdgeEnv>): Credential {
  const { STYTCH_PROJECT_ID, STYTCH_SECRET } = c.env
  const takesSessions = Boolean(STYTCH_PROJECT_ID && STYTCH_SECRET)
  const authorization = c.req.header('Authorization')
  if (authorization !== undefined) return readBearer(authorization, takesSessions)
  const token = getCookie(c, 'stytch_session')
  if (token === undefined || !takesSessions) return { kind: 'none' }
  if (!TOKEN.test(token)) return { kind: 'malformed' }
  const jwt = getCookie(c, 'stytch_session_jwt')
  const proof = { token, jwt: jwt !== undefined && TOKEN.test(jwt) ? jwt : undefined }
  return { kind: 'session', proof, isCookie: true }
}

/** A key, or the token or JWT of a session. */
function readBearer(authorization: string, takesSessions: boolean): Credential {
  const bearer = BEARER.exec(authorization)?.[1] ?? ''
  if (isServerApiKey(bearer)) return { kind: 'key', key: bearer }
  if (!takesSessions || resemblesServerApiKey(bearer) || !TOKEN.test(bearer)) return { kind: 'malformed' }
  const proof = JWT.test(bearer) ? { token: undefined, jwt: bearer } : { token: bearer, jwt: undefined }
  return { kind: 'session', proof, isCookie: false }
}
