import type { Context } from 'hono'
import { type JobCalls, jobObject } from '../job-object/address.ts'
import type { JobRefusal } from '../job-object/replies.ts'
import type { JobKey } from '../jobs/job.ts'
import { isJobId } from '../jobs/job-id.ts'
import type { EdgeEnv } from './edge-env.ts'

/** Asks the object of the job that the path names. What cannot be a job of the caller's is not found, unasked. */
export async function askJob<Reply>(
  c: Context<EdgeEnv>,
  ask: (object: JobCalls, key: JobKey) => Promise<Reply | JobRefusal>,
): Promise<Reply | JobRefusal> {
  const { organizationId } = c.var
  const jobId = c.req.param('job_id') ?? ''
  if (organizationId === null || !isJobId(jobId)) return { ok: false, reason: 'not_found' }
  const key = { organizationId, jobId }
  try {
    return await ask(jobObject(c.env.JOBS, key), key)
  } catch (error) {
    if (isPassing(error)) return { ok: false, reason: 'unavailable' }
    throw error
  }
}

/** Whether the runtime gave the object up for now: it is overloaded, moves, or its disk did not take a write. */
function isPassing(error: unknown): boolean {
  const { retryable, overloaded, durableObjectReset } = error as Record<string, unknown>
  return Boolean(retryable || overloaded || durableObjectReset)
}
