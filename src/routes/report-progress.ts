import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { idempotent } from '../http/idempotent.ts'
import { jobJson } from '../http/job-json.ts'
import { jsonBody } from '../http/json-body.ts'
import { refuse } from '../http/refuse.ts'
import { ReportBody, toReport } from './report-body.ts'

/** `POST /api/jobs/{job_id}/progress`: all that a worker ever says of its job. */
export const reportProgress = new Hono<EdgeEnv>().post(
  '/api/jobs/:job_id/progress',
  authenticate,
  allow('job:create'),
  ...jsonBody(ReportBody),
  idempotent('report'),
  async (c) => {
    const report = toReport(c.req.valid('json'))
    const reply = await askJob(c, (object, key) => object.report(key, report, c.var.retry))
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
)
