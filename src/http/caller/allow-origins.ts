import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import type { Env } from '../../env.ts'
import type { EdgeEnv } from '../edge-env.ts'

/** The origins that ALLOWED_ORIGINS names, separated by commas: scheme, host and port, nothing behind them. */
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
  exposeHeaders: ['ETag', 'Idempotency-Replayed', 'Link', 'Retry-After', 'X-Request-ID'],
  maxAge: 600,
})

/** Lets the pages of ALLOWED_ORIGINS read replies, with their cookies. Without any, no page but our own can. */
export const allowOrigins = createMiddleware<EdgeEnv>(async (c, next) => {
  const allowed = allowedOrigins(c.env)
  if (allowed.includes(c.req.header('Origin') ?? '')) return await open(c, next)
  await next()
  // Where one origin is told something else, a cache has to know even of the replies to the others.
  if (allowed.length > 0) c.header('Vary', 'Origin', { append: true })
})
