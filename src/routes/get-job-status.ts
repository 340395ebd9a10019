import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { etagOf, hasCurrent, notModified } from '../http/job-json.ts'
import { refuse } from '../http/refuse.ts'
import { presentStatus } from '../jobs/present-job.ts'

/** `GET /api/jobs/{job_id}/status`: the few fields that a poller needs, as last acknowledged. */
export const getJobStatus = new Hono<EdgeEnv>().get(
  '/api/jobs/:job_id/status',
  authenticate,
  allow('job:read'),
  async (c) => {
    const reply = await askJob(c, (object, key) => object.read(key))
    if (!reply.ok) return await refuse(c, reply)
    if (hasCurrent(c, reply.job)) return notModified(c, reply.job)
    return c.json(presentStatus(reply.job), 200, { ETag: etagOf(reply.job) })
  },
)
