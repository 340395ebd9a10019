import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { presentStatus } from '../http/present-job.ts'
import { refuse } from '../http/refuse.ts'

/** `GET /api/jobs/{job_id}/status`: the few fields that a poller needs, as last acknowledged. */
export const getJobStatus = new Hono<EdgeEnv>().get(
  '/api/jobs/:job_id/status',
  authenticate,
  allow('job:read'),
  async (c) => {
    const reply = await askJob(c, (object, key) => object.read(key))
    return reply.ok ? c.json(presentStatus(reply.job)) : refuse(c, reply)
  },
)
