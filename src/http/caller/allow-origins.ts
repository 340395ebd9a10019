import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import type { Env } from '../../env.ts'
import type { EdgeEnv } from '../edge-env.ts'

/** The origins in ALLOWED_ORIGINS, separated by commas: scheme, host and port, without a path. */
export function allowedOrigins({ ALLOWED_ORIGINS }: Env): string[] {
  return (ALLOWED_ORIGINS ?? '').split(',').flatMap((origin) => origin.trim() || [])
}

const open = cors({
  origin: (origin) => origin,
  credentials: true,
  allowMethods: ['GET', 'POST'],
  allowHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-None-Match',
    'Last-Event-ID',
    'X-Organization-ID',
    'X-Request-ID',
  ],
  exposeHeaders: [
    'Content-Disposition',
    'ETag',
    'Idempotency-Replayed',
    'Job-Status',
    'Link',
    'Retry-After',
    'X-Request-ID',
  ],
  maxAge: 600,
})

/** Lets pages of ALLOWED_ORIGINS send cookies and read replies. Without any, only our own page can. */
export const allowOrigins = createMiddleware<EdgeEnv>(async (c, next) => {
  const allowed = allowedOrigins(c.env)
  if (allowed.includes(c.req.header('Origin') ?? '')) return await open(c, next)
  await next()
  // Replies differ by origin, so caches must key on it even where no CORS header was sent.
  if (allowed.length > 0) c.header('Vary', 'Origin', { append: true })
})
