import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { chooseOrganization, type Identification, type Permission } from '../access/caller.ts'
import { FailedAttempts } from '../access/failed-attempts.ts'
import { logErrorThrottled } from '../log.ts'
import { spendRequest } from './caller-budget.ts'
import { type Credential, readCredential } from './credential.ts'
import type { EdgeEnv } from './edge-env.ts'
import { identifyKey } from './identify-key.ts'
import { identifySession } from './identify-session.ts'
import { isFromOwnPage } from './is-from-own-page.ts'
import { RETRY_AFTER } from './refuse.ts'

/** When a caller who came too often may come again, in seconds: as long as a limiter's refusal is remembered. */
const RETRY_AFTER_LIMIT = '10'

const failedAttempts = new FailedAttempts({
  now: Date.now,
  onError: (error) => logErrorThrottled('rate_limit_unavailable', {}, error),
})

/**
 * Finds out who is calling before looking at anything else in the request: 401 for nobody, 503 if that cannot be found
 * out now, 429 for too many requests or failures, 400 if it is not said which of several organizations is meant. Sets
 * `caller`, `organizationId` and `permits`.
 *
 * Malformed, unknown, expired and revoked credentials are refused in the same words, so that a stranger learns nothing.
 */
export const authenticate = createMiddleware<EdgeEnv>(async (c, next) => {
  const credential = readCredential(c)
  if (credential.kind === 'none') return unauthenticated(c, 'no_credential', 'Not authenticated')
  if (credential.kind === 'session' && !isFromOwnPage(c)) {
    c.set('reason', 'foreign_page')
    return c.json({ detail: 'A session may change nothing from another site' }, 403)
  }

  const address = c.req.header('CF-Connecting-IP')
  const isBarred = failedAttempts.isBarred(address)
  const identified = await identify(c, credential, !isBarred)
  if (!identified.ok) {
    if (identified.reason === 'unavailable') return uncheckable(c)
    const isTooMany = isBarred || !(await failedAttempts.count(c.env.FAILED_LOGINS, address))
    if (isTooMany) return tooMany(c, 'too_many_failures', 'Too many failed authentications')
    return unauthenticated(c, identified.reason)
  }

  const { caller, permits } = identified
  c.set('caller', caller)
  c.set('permits', permits)
  const choice = chooseOrganization(caller, c.req.header('X-Organization-ID'))
  // Set before the budget is asked, so that the log says whose request was one too many.
  c.set('organizationId', choice.ok ? choice.organizationId : null)
  if (!spendRequest(c)) return tooMany(c, 'too_many_requests', 'Too many requests')

  if (!choice.ok) {
    c.set('reason', 'organization_left_open')
    return c.json({ detail: 'The credential has several organizations: send X-Organization-ID' }, 400)
  }
  return await next()
})

/** Lets callers pass who have the permission: 403 for others. Comes after `authenticate`. */
export function allow(permission: Permission) {
  return createMiddleware<EdgeEnv>(async (c, next) => {
    switch (await c.var.permits(permission)) {
      case 'yes':
        c.set('isStillValid', () => isAllowed(c, permission))
        return await next()
      case 'no':
        c.set('reason', 'not_permitted')
        return c.json({ detail: `Missing required permission: ${permission}` }, 403)
      case 'ended':
        return unauthenticated(c, 'unknown')
      case 'unavailable':
        return uncheckable(c)
    }
  })
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
      return await identifySession(c, credential.cookies, mayAsk)
    default:
      return { ok: false, reason: 'malformed' }
  }
}

function unauthenticated(c: Context<EdgeEnv>, reason: string, detail = 'Invalid credentials') {
  c.set('reason', reason)
  return c.json({ detail }, 401, { 'WWW-Authenticate': 'Bearer' })
}

function uncheckable(c: Context<EdgeEnv>) {
  c.set('reason', 'credential_not_checked')
  return c.json({ detail: 'Credentials cannot be checked at the moment' }, 503, {
    'Retry-After': RETRY_AFTER,
  })
}

function tooMany(c: Context<EdgeEnv>, reason: string, detail: string) {
  c.set('reason', reason)
  return c.json({ detail }, 429, { 'Retry-After': RETRY_AFTER_LIMIT })
}
