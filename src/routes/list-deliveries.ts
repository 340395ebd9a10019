import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { refuse } from '../http/refuse.ts'
import { presentDeliveries } from '../jobs/present-job.ts'

/** `GET /api/jobs/{job_id}/deliveries`: how posting the finished job to its callback URL went. */
export const listDeliveries = new Hono<EdgeEnv>().get(
  '/api/jobs/:job_id/deliveries',
  authenticate,
  allow('job:read'),
  async (c) => {
    const reply = await askJob(c, (object, key) => object.read(key))
    return reply.ok ? c.json(presentDeliveries(reply.job)) : refuse(c, reply)
  },
)
