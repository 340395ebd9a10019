import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { jobJson } from '../http/job-json.ts'
import { jsonBody } from '../http/json-body.ts'
import { refuse } from '../http/refuse.ts'
import { CancelBody } from './cancel-body.ts'

/** `POST /api/jobs/{job_id}/cancel`: ends a job that is not finished. Its worker learns of it by its next report. */
export const cancelJob = new Hono<EdgeEnv>().post(
  '/api/jobs/:job_id/cancel',
  authenticate,
  allow('job:cancel'),
  ...jsonBody(CancelBody, { optional: true }),
  async (c) => {
    const reason = c.req.valid('json').reason ?? null
    const reply = await askJob(c, (object, key) => object.cancel(key, reason))
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
)
