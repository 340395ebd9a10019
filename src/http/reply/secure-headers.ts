import { createMiddleware } from 'hono/factory'
import { secureHeaders as setHeaders } from 'hono/secure-headers'

/**
 * The security headers of an API: nothing in a reply is to be run, framed or guessed at, should a browser be led to open
 * it. What a route has set itself stands: a page knows better what it needs.
 */
export const secureHeaders = setHeaders({
  overwrite: false,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  referrerPolicy: 'no-referrer',
  // Without the subdomains: they may be someone else's.
  strictTransportSecurity: 'max-age=31536000',
  xFrameOptions: 'DENY',
  xContentTypeOptions: true,
  crossOriginResourcePolicy: 'same-origin',
  crossOriginOpenerPolicy: true,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
})

/**
 * Keeps replies out of shared caches, and has the caller's own ask again: who is calling, and X-Organization-ID, decide
 * what one address means. What a route has set itself stands.
 */
export const keepPrivate = createMiddleware(async (c, next) => {
  await next()
  // Not by `c.header`, which would make the whole reply anew, its body as a stream.
  const { headers } = c.res
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'private, no-cache')
})
