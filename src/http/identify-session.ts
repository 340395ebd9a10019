import type { Context } from 'hono'
import type { Identification } from '../access/caller.ts'
import { openStytchSessions } from '../access/open-stytch-sessions.ts'
import { sha256 } from '../access/sha256.ts'
import type { SessionCookies } from '../access/stytch-sessions.ts'
import { logTrouble } from '../log.ts'
import type { EdgeEnv } from './edge-env.ts'

/** Whose session of the Stytch project it is. `mayAsk` false: only as far as is remembered, or its JWT proves. */
export async function identifySession(
  c: Context<EdgeEnv>,
  cookies: SessionCookies,
  mayAsk: boolean,
): Promise<Identification> {
  const { STYTCH_PROJECT_ID: id = '', STYTCH_SECRET: secret = '', STYTCH_BASE_URL: url } = c.env
  const sessions = openStytchSessions({ id, secret, url }, { now: Date.now, onTrouble: logStytch })
  const tokenHash = await sha256(cookies.token)
  const checked = await (mayAsk ? sessions.check(cookies, tokenHash) : sessions.recall(cookies, tokenHash))
  if (checked === undefined) return { ok: false, reason: 'not_asked' }
  if (!checked.ok) return checked
  const { caller } = checked
  return {
    ok: true,
    caller,
    permits: (permission) => sessions.permits(cookies, tokenHash, caller, permission),
  }
}

/** What Stytch says of an error is logged by its type alone: the SDK's errors carry the whole request, token and all. */
function logStytch(error: unknown): void {
  const { status_code, error_type } = (error ?? {}) as { status_code?: number; error_type?: string }
  logTrouble('stytch_did_not_answer', { status: status_code, type: error_type }, error)
}
