import type { Context } from 'hono'
import type { EdgeEnv } from '../edge-env.ts'
import { allowedOrigins } from './allow-origins.ts'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/**
 * Whether a request that a browser's cookie vouches for may change something: only if the page that makes it is our own,
 * or one of ALLOWED_ORIGINS. The browser says which page it is; one that does not say is not trusted, since a page of
 * anyone's can make a browser send its cookies.
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
