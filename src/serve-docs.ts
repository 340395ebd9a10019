import { type Context, Hono } from 'hono'
import { etag, RETAINED_304_HEADERS } from 'hono/etag'
import type { EdgeEnv } from './http/edge-env.ts'
import { refuse } from './http/reply/refuse.ts'

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
}

/** A page of text: it runs nothing, and loads its style and its icon. */
const DOCUMENT_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * The reference runs Scalar, from our own origin only, and calls this API only: a key that is typed into it goes nowhere
 * else. Scalar adds <style> elements and style attributes while it runs, which no hash or nonce could cover, and has images
 * in data: URLs in its style. Neither can run code. It writes markup as strings, so the dashboard's Trusted Types are out.
 */
const REFERENCE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The longest path that is looked up. No file has a longer one. */
const MAX_PATH = 128

// A browser applies the policy of a 304 to the cached page: without it, the page would get the API's, which allows nothing.
const cached = etag({ retainedHeaders: [...RETAINED_304_HEADERS, 'Content-Security-Policy'] })

/**
 * The API reference at `/docs`, the documents beside it, and their text for language models. Static assets, built by
 * scripts/build-docs.ts: the reference has several MB of scripts, far more than the Worker's own may be. Needs no
 * credential.
 */
export const docs = new Hono<EdgeEnv>()
  .get('/docs/*', cached, serveFile)
  .get('/llms.txt', cached, serveFile)
  .get('/llms-full.txt', cached, serveFile)

async function serveFile(c: Context<EdgeEnv>): Promise<Response> {
  const path = fileAt(c.req.path)
  if (path === undefined) return c.notFound()
  // Without the headers of the request: its conditions and ranges are not the store's business.
  const file = await c.env.ASSETS.fetch(new URL(path, c.req.url))
  if (file.status === 404) return c.notFound()
  if (file.status !== 200) return refuse(c, { ok: false, reason: 'unavailable' })
  const extension = path.slice(path.lastIndexOf('.') + 1)
  // The names under assets/ change with their content. Everything else is revalidated on every use.
  const isHashed = path.startsWith('/docs/assets/')
  const tag = file.headers.get('ETag')
  return c.body(file.body ?? '', 200, {
    'Content-Type': TYPES[extension] ?? 'application/octet-stream',
    'Cache-Control': isHashed ? 'public, max-age=31536000, immutable' : 'public, no-cache',
    ...(tag !== null && { ETag: tag }),
    ...(extension === 'html' && {
      'Content-Security-Policy': path === '/docs.html' ? REFERENCE_POLICY : DOCUMENT_POLICY,
    }),
  })
}

/** The file behind a path: a page's path has no extension. Undefined if there can be none. */
function fileAt(path: string): string | undefined {
  const bare = path.replace(/\/$/, '')
  if (bare.length > MAX_PATH || !/^(?:\/[a-z0-9_-][a-z0-9_.-]*)+$/i.test(bare)) return undefined
  return /\.[a-z]+$/.test(bare) ? bare : `${bare}.html`
}
