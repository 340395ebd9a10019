import { Hono } from 'hono'
import type { EdgeEnv } from '../http/edge-env.ts'

/** `GET /healthz`: that the edge answers. It asks nothing of D1, without which the edge goes on working. */
export const healthz = new Hono<EdgeEnv>().get('/healthz', (c) => c.json({ status: 'ok' }))
