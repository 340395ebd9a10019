import type { Context } from 'hono'
import { B2BClient } from 'stytch'
import type { Identification } from '../access/caller.ts'
import { sha256 } from '../access/sha256.ts'
import { type SessionCookies, StytchSessions } from '../access/stytch-sessions.ts'
import type { Env } from '../env.ts'
import { logTrouble } from '../log.ts'
import type { EdgeEnv } from './edge-env.ts'

/** Whose session of the Stytch project it is. `mayAsk` false: only as far as is remembered, or its JWT proves. */
export async function identifySession(
  c: Context<EdgeEnv>,
  cookies: SessionCookies,
  mayAsk: boolean,
): Promise<Identification> {
  const sessions = openSessions(c.env)
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

let opened: { projectId: string; secret: string; sessions: StytchSessions } | undefined

/** The sessions of the project that the secrets name, opened once an isolate. */
function openSessions({
  STYTCH_PROJECT_ID: projectId = '',
  STYTCH_SECRET: secret = '',
  STYTCH_BASE_URL: url,
}: Env): StytchSessions {
  if (opened?.projectId === projectId && opened.secret === secret) return opened.sessions
  const client = new B2BClient({
    project_id: projectId,
    secret,
    // The SDK takes a base URL of one's own over https only; a stand-in on this machine is what it calls an environment.
    ...(url && (url.startsWith('https:') ? { custom_base_url: url } : { env: url })),
  })
  const sessions = new StytchSessions({ stytch: client.sessions, now: Date.now, onTrouble: logStytch })
  opened = { projectId, secret, sessions }
  return sessions
}

/** What Stytch says of an error is logged by its type alone: the SDK's errors carry the whole request, token and all. */
function logStytch(error: unknown): void {
  const { status_code, error_type } = (error ?? {}) as { status_code?: number; error_type?: string }
  logTrouble('stytch_did_not_answer', { status: status_code, type: error_type }, error)
}
