import { createMiddleware } from 'hono/factory'
import { routePath } from 'hono/route'
import { logRefusal } from '../../log.ts'
import type { EdgeEnv } from '../edge-env.ts'

/** Logs one line for each request that is refused or fails: who sent it and why it was refused, not what was sent. */
export const logRefusals = createMiddleware<EdgeEnv>(async (c, next) => {
  await next()
  const { status } = c.res
  if (status < 400) return
  const route = routePath(c, -1)
  logRefusal(
    {
      request_id: c.var.requestId,
      status,
      reason: c.var.reason ?? 'failed',
      method: c.req.method,
      // Unknown paths are not logged: they are the caller's text.
      route: route === '/*' ? null : route,
      organization: c.var.organizationId ?? null,
      credential: c.var.caller?.id ?? null,
    },
    c.error,
  )
})
