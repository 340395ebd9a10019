import type { Context } from 'hono'
import type { Env } from '../env.ts'
import { type JobCalls, jobObject } from '../job-object/address.ts'
import type { JobRefusal } from '../job-object/replies.ts'
import type { JobKey } from '../jobs/job.ts'
import { isJobId } from '../jobs/job-id.ts'
import { chargeMiss } from './caller/caller-budget.ts'
import type { EdgeEnv } from './edge-env.ts'
import { isRuntimeFailure } from './reply/is-runtime-failure.ts'

type Call<Reply> = (object: JobCalls, key: JobKey) => Promise<Reply | JobRefusal>

/**
 * Calls the object of the job in the path, and charges the caller if there is no such job. An id that cannot be a job of
 * the caller's gets `not_found` without a call or a charge.
 */
export async function callJob<Reply extends { ok: boolean }>(
  c: Context<EdgeEnv>,
  call: Call<Reply>,
): Promise<Reply | JobRefusal> {
  const { organizationId } = c.var
  const jobId = c.req.param('job_id') ?? ''
  if (organizationId === null || !isJobId(jobId)) return { ok: false, reason: 'not_found' }
  const reply = await callObject(c.env, { organizationId, jobId }, call)
  if ('reason' in reply && reply.reason === 'not_found') chargeMiss(c)
  return reply
}

/** Calls the object of one job. If the runtime fails, the outcome is `unavailable`. */
export async function callObject<Reply>(
  env: Env,
  key: JobKey,
  call: Call<Reply>,
): Promise<Reply | JobRefusal> {
  try {
    return await call(jobObject(env.JOBS, key), key)
  } catch (error) {
    if (isRuntimeFailure(error)) return { ok: false, reason: 'unavailable' }
    throw error
  }
}
