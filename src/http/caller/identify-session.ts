import type { Context } from 'hono'
import type { Identification } from '../../access/caller.ts'
import { KnownPlacements } from '../../access/known-placements.ts'
import { openStytchSessions } from '../../access/open-stytch-sessions.ts'
import { sha256 } from '../../access/sha256.ts'
import type { SessionProof } from '../../access/stytch-sessions.ts'
import type { Placement } from '../../jobs/placement.ts'
import { logErrorThrottled } from '../../log.ts'
import { placeSession } from '../../store/organizations.ts'
import type { EdgeEnv } from '../edge-env.ts'

const knownPlacements = new KnownPlacements({ now: Date.now })

/** Whose session it is. With `mayAsk` false, Stytch is not asked: the session must be remembered or proven by its JWT. */
export async function identifySession(
  c: Context<EdgeEnv>,
  proof: SessionProof,
  mayAsk: boolean,
): Promise<Identification> {
  const { STYTCH_PROJECT_ID: id = '', STYTCH_SECRET: secret = '', STYTCH_BASE_URL: url } = c.env
  const sessions = openStytchSessions({ id, secret, url }, { now: Date.now, onError: logStytch })
  const tokenHash = await sha256(proof.token ?? proof.jwt)
  const checked = await (mayAsk ? sessions.check(proof, tokenHash) : sessions.recall(proof, tokenHash))
  if (checked === undefined) return { ok: false, reason: 'not_asked' }
  if (!checked.ok) return checked
  const { caller } = checked
  const [organizationId = ''] = caller.organizationIds
  const placement = await knownPlacements.find(organizationId, {
    lookUp: (id) => lookUpPlacement(c, id),
    keepAlive: (work) => c.executionCtx.waitUntil(work),
  })
  if (placement === undefined) return { ok: false, reason: 'unavailable' }
  return {
    ok: true,
    caller,
    permits: (permission) => sessions.permits(proof, tokenHash, caller, permission),
    // A session has one organization.
    placementOf: () => placement,
  }
}

async function lookUpPlacement(c: Context<EdgeEnv>, organizationId: string): Promise<Placement> {
  try {
    return await placeSession(c.env, organizationId, Date.now())
  } catch (error) {
    logErrorThrottled('organization_not_looked_up', { request_id: c.var.requestId }, error)
    throw error
  }
}

/**
 * Logs why Stytch gave no answer: it is down, or it refuses us, and an operator has to fix that. Of its error, only the
 * status and type are logged: the SDK's errors contain the whole request, including the token.
 */
function logStytch(error: unknown): void {
  const { status_code: status, error_type: type } = (error ?? {}) as Partial<StytchError>
  const refusesUs = status !== undefined && status >= 400 && status < 500 && status !== 429
  logErrorThrottled(refusesUs ? 'stytch_refuses_us' : 'stytch_did_not_answer', { status, type }, error)
}

interface StytchError {
  status_code: number
  error_type: string
}
