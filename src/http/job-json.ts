import type { Context } from 'hono'
import type { JobReply } from '../job-object/job-object.ts'
import { presentJob } from './present-job.ts'

/** The reply that carries a job. */
export function jobJson(c: Context, reply: Extract<JobReply, { ok: true }>): Response {
  return c.body(presentJob(reply, reply.asOf), 200, { 'Content-Type': 'application/json' })
}
