import { createMiddleware } from 'hono/factory'
import { secureHeaders as setHeaders } from 'hono/secure-headers'

/**
 * The security headers of an API: a browser that opens a reply must not run, frame or sniff it. A header that the route
 * has set is kept: the page needs its own.
 */
export const secureHeaders = setHeaders({
  overwrite: false,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  referrerPolicy: 'no-referrer',
  // Without subdomains: they may belong to someone else.
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
 * Keeps replies out of shared caches, and makes the caller's own cache revalidate: the same URL has another reply for
 * another credential or `X-Organization-ID`. A header that the route has set is kept.
 */
export const keepPrivate = createMiddleware(async (c, next) => {
  await next()
  // Not `c.header`: it would rebuild the response, with its body as a stream.
  const { headers } = c.res
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'private, no-cache')
})
