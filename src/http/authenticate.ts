import { createMiddleware } from 'hono/factory'
import { chooseOrganization, type Permission } from '../access/caller.ts'
import { KnownKeys } from '../access/known-keys.ts'
import { hashServerApiKey, isServerApiKey } from '../access/server-api-key.ts'
import { findApiKey } from '../store/api-keys.ts'
import { openStore } from '../store/store.ts'
import type { EdgeEnv } from './edge-env.ts'

const BEARER = /^bearer +(\S+) *$/i
/** Seconds after which a caller may ask again whose key could not be looked up. */
const RETRY_AFTER = '5'

const knownKeys = new KnownKeys({ now: Date.now })

/**
 * Finds out who is calling, before anything else of the request is looked at: 401 for whoever is nobody, 503 where that
 * cannot be found out now. Sets `caller` and `organizationId`.
 *
 * A key that is malformed, unknown, expired or revoked is refused in the same words: a stranger learns nothing from them.
 */
export const authenticate = createMiddleware<EdgeEnv>(async (c, next) => {
  const authorization = c.req.header('Authorization')
  if (authorization === undefined) return c.json({ detail: 'Not authenticated' }, 401, CHALLENGE)

  const key = BEARER.exec(authorization)?.[1]
  if (key === undefined || !isServerApiKey(key)) return c.json(INVALID, 401, CHALLENGE)

  const checked = await knownKeys.check(await hashServerApiKey(key), {
    lookUp: (hash) => findApiKey(openStore(c.env.DB), hash),
    keepAlive: (work) => c.executionCtx.waitUntil(work),
  })
  if (!checked.ok) {
    if (checked.reason !== 'unavailable') return c.json(INVALID, 401, CHALLENGE)
    return c.json({ detail: 'Credentials cannot be checked at the moment' }, 503, {
      'Retry-After': RETRY_AFTER,
    })
  }

  c.set('caller', checked.caller)
  c.set('organizationId', chooseOrganization(checked.caller, c.req.header('X-Organization-ID')))
  return await next()
})

const CHALLENGE = { 'WWW-Authenticate': 'Bearer' }
const INVALID = { detail: 'Invalid credentials' }

/** Lets only callers pass that have the permission: 403 for others. Comes after `authenticate`. */
export function allow(permission: Permission) {
  return createMiddleware<EdgeEnv>(async (c, next) => {
    if (!c.var.caller.permissions.includes(permission)) {
      return c.json({ detail: `Missing required permission: ${permission}` }, 403)
    }
    return await next()
  })
}
