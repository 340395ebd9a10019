import { Hono } from 'hono'
import { z } from 'zod'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { text } from '../http/fields.ts'
import { jobJson } from '../http/job-json.ts'
import { jsonBody } from '../http/json-body.ts'
import { refuse } from '../http/refuse.ts'
import { MAX_MESSAGE } from './report-body.ts'

/** The body of a cancellation, which may be empty. */
export const CancelBody = z
  .object({
    reason: text(MAX_MESSAGE).nullable().optional().describe('Why; kept as the error_message of the job'),
  })
  .describe('A cancellation')

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
