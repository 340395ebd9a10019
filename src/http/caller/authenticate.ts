import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { chooseOrganization, type Identification, type Permission } from '../../access/caller.ts'
import { FailedAttempts } from '../../access/failed-attempts.ts'
import { UNPLACED } from '../../jobs/placement.ts'
import { logErrorThrottled } from '../../log.ts'
import type { EdgeEnv } from '../edge-env.ts'
import { type CallerRefusal, refuse } from '../reply/refuse.ts'
import { spendRequest } from './caller-budget.ts'
import { type Credential, readCredential } from './credential.ts'
import { identifyKey } from './identify-key.ts'
import { identifySession } from './identify-session.ts'
import { isFromOwnPage } from './is-from-own-page.ts'

const failedAttempts = new FailedAttempts({
  now: Date.now,
  onError: (error) => logErrorThrottled('rate_limit_unavailable', {}, error),
})

/**
 * Finds out who is calling, before anything else in the request is checked. Sets `caller`, `permits`, `organizationId` and
 * `placement`, or refuses.
 */
export const authenticate = createMiddleware<EdgeEnv>(async (c, next) => {
  const credential = readCredential(c)
  if (credential.kind === 'none') return refuse(c, { ok: false, reason: 'no_credential' })
  // Browsers attach cookies to the requests of any page, but no header.
  if (credential.kind === 'session' && credential.isCookie && !isFromOwnPage(c))
    return refuse(c, { ok: false, reason: 'foreign_page' })

  const identified = await identifyUnlessBarred(c, credential)
  if (!identified.ok) return refuse(c, identified)
  const { caller, permits, placementOf } = identified
  c.set('caller', caller)
  c.set('permits', permits)

  const choice = chooseOrganization(caller, c.req.header('X-Organization-ID'))
  // Set before the budget is checked: the log names the organization of a 429.
  const organizationId = choice.ok ? choice.organizationId : null
  c.set('organizationId', organizationId)
  c.set('placement', organizationId === null ? UNPLACED : placementOf(organizationId))
  if (!spendRequest(c)) return refuse(c, { ok: false, reason: 'too_many_requests' })
  if (!choice.ok) return refuse(c, { ok: false, reason: 'organization_left_open' })
  return await next()
})

/** Refuses callers without the permission. Must come after `authenticate`. */
export function allow(permission: Permission) {
  return createMiddleware<EdgeEnv>(async (c, next) => {
    switch (await c.var.permits(permission)) {
      case 'yes':
        c.set('isStillValid', () => isAllowed(c, permission))
        return await next()
      case 'no':
        return refuse(c, { ok: false, reason: 'not_permitted', permission })
      case 'ended':
        return refuse(c, { ok: false, reason: 'unknown' })
      case 'unavailable':
        return refuse(c, { ok: false, reason: 'credential_not_checked' })
    }
  })
}

type Identified = Extract<Identification, { ok: true }>

/** For an address that failed too often, only credentials remembered as valid count: its guesses are not looked up. */
async function identifyUnlessBarred(
  c: Context<EdgeEnv>,
  credential: Credential,
): Promise<Identified | CallerRefusal> {
  const address = c.req.header('CF-Connecting-IP')
  const isBarred = failedAttempts.isBarred(address)
  const identified = await identify(c, credential, !isBarred)
  if (identified.ok) return identified
  if (identified.reason === 'unavailable') return { ok: false, reason: 'credential_not_checked' }
  if (isBarred || identified.reason === 'not_asked') return { ok: false, reason: 'too_many_failures' }
  const mayFail = await failedAttempts.count(c.env.FAILED_LOGINS, address)
  return { ok: false, reason: mayFail ? identified.reason : 'too_many_failures' }
}

async function isAllowed(c: Context<EdgeEnv>, permission: Permission): Promise<boolean> {
  const identified = await identify(c, readCredential(c), true)
  return identified.ok && (await identified.permits(permission)) === 'yes'
}

async function identify(
  c: Context<EdgeEnv>,
  credential: Credential,
  mayAsk: boolean,
): Promise<Identification> {
  switch (credential.kind) {
    case 'key':
      return await identifyKey(c, credential.key, mayAsk)
    case 'session':
      return await identifySession(c, credential.proof, mayAsk)
    default:
      return { ok: false, reason: 'malformed' }
  }
}
