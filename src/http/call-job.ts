import type { Context } from 'hono'
import type { Env } from '../env.ts'
import { type JobCalls, jobObject } from '../job-object/address.ts'
import type { JobRefusal } from '../job-object/replies.ts'
import { isJobId } from '../jobs/job-id.ts'
import type { JobAddress } from '../jobs/placement.ts'
import { chargeMiss } from './caller/caller-budget.ts'
import type { EdgeEnv } from './edge-env.ts'
import { isRuntimeFailure } from './reply/is-runtime-failure.ts'

type Call<Reply> = (object: JobCalls, address: JobAddress) => Promise<Reply | JobRefusal>

/**
 * Calls the object of the job that the path names, and charges the caller for a job that does not exist. An id that
 * cannot be one of the caller's jobs is not found without a call, and costs nothing.
 */
export async function callJob<Reply extends { ok: boolean }>(
  c: Context<EdgeEnv>,
  call: Call<Reply>,
): Promise<Reply | JobRefusal> {
  const { organizationId, placement } = c.var
  const jobId = c.req.param('job_id') ?? ''
  if (organizationId === null || !isJobId(jobId)) return { ok: false, reason: 'not_found' }
  const reply = await callObject(c.env, { organizationId, jobId, placement }, call)
  if ('reason' in reply && reply.reason === 'not_found') chargeMiss(c)
  return reply
}

/** Calls the object of one job. Where the runtime gave up on it, the outcome is `unavailable`. */
export async function callObject<Reply>(
  env: Env,
  address: JobAddress,
  call: Call<Reply>,
): Promise<Reply | JobRefusal> {
  try {
    return await call(jobObject(env.JOBS, address), address)
  } catch (error) {
    if (isRuntimeFailure(error)) return { ok: false, reason: 'unavailable' }
    throw error
  }
}
