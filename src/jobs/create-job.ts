import { type Job, type JsonObject, type Labels, UNREPORTED } from './job.ts'

/** The fields that a job is created with. */
export interface NewJob {
  jobType: string
  totalItems: number
  metadata: JsonObject
  labels: Labels
  parentJobId: string | null
  triggeredBy: string | null
  stallAfterSeconds: number | null
  startWithinSeconds: number | null
  finishWithinSeconds: number | null
  callbackUrl: string | null
}

/**
 * A new job: pending, with nothing done. `now` is in ms since the epoch; `createFingerprint` is the fingerprint of the
 * keyed request that creates it, null for a request without a key.
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
