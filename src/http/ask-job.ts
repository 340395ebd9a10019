import type { Context } from 'hono'
import type { Env } from '../env.ts'
import { type JobCalls, jobObject } from '../job-object/address.ts'
import type { JobRefusal } from '../job-object/replies.ts'
import type { JobKey } from '../jobs/job.ts'
import { isJobId } from '../jobs/job-id.ts'
import { chargeMiss } from './caller-budget.ts'
import type { EdgeEnv } from './edge-env.ts'
import { isRuntimeFailure } from './is-runtime-failure.ts'

type Ask<Reply> = (object: JobCalls, key: JobKey) => Promise<Reply | JobRefusal>

/**
 * Asks the object of the job that the path names, and charges the caller if there is no such job. What cannot be one of
 * the caller's jobs is not found, without asking or charging.
 */
export async function askJob<Reply extends { ok: boolean }>(
  c: Context<EdgeEnv>,
  ask: Ask<Reply>,
): Promise<Reply | JobRefusal> {
  const { organizationId } = c.var
  const jobId = c.req.param('job_id') ?? ''
  if (organizationId === null || !isJobId(jobId)) return { ok: false, reason: 'not_found' }
  const reply = await askObject(c.env, { organizationId, jobId }, ask)
  if ('reason' in reply && reply.reason === 'not_found') chargeMiss(c)
  return reply
}

/** Asks the object of one job. That the runtime gave it up for now is an answer too. */
export async function askObject<Reply>(env: Env, key: JobKey, ask: Ask<Reply>): Promise<Reply | JobRefusal> {
  try {
    return await ask(jobObject(env.JOBS, key), key)
  } catch (error) {
    if (isRuntimeFailure(error)) return { ok: false, reason: 'unavailable' }
    throw error
  }
}
