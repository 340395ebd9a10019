import { type Job, type JsonObject, UNREPORTED } from './job.ts'

/** What a job is created from. */
export interface NewJob {
  jobType: string
  totalItems: number
  metadata: JsonObject
  triggeredBy: string | null
  stallAfterSeconds: number | null
  callbackUrl: string | null
}

/**
 * A job as it stands when it is created: pending, with nothing done. `now` is milliseconds since the epoch;
 * `createFingerprint` is that of the keyed request that creates it, null for one without a key.
 */
export function createJob(
  jobId: string,
  newJob: NewJob,
  now: number,
  createFingerprint: string | null = null,
): Job {
  return {
    ...UNREPORTED,
    ...newJob,
    jobId,
    status: 'pending',
    createdAt: now,
    updatedAt: now,
    createFingerprint,
    revision: 1,
  }
}
