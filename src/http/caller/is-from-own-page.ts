import type { Context } from 'hono'
import type { EdgeEnv } from '../edge-env.ts'
import { allowedOrigins } from './allow-origins.ts'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/**
 * Whether a request with a session cookie comes from our own page or one of ALLOWED_ORIGINS; always true for methods that
 * change nothing. Any page can make a browser send cookies, so a request that does not say where it comes from is not
 * trusted.
 */
export function isFromOwnPage(c: Context<EdgeEnv>): boolean {
  if (SAFE_METHODS.includes(c.req.method)) return true
  const origin = c.req.header('Origin')
  const site = c.req.header('Sec-Fetch-Site')
  if (origin !== undefined && allowedOrigins(c.env).includes(origin)) return true
  if (site !== undefined && site !== 'same-origin') return false
  if (origin !== undefined) return origin === new URL(c.req.url).origin
  return site === 'same-origin'
}
