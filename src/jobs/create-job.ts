import type { Job } from './job.ts'
import type { NewJob } from './report.ts'
import { NO_ENTITIES } from './tally.ts'

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
    jobId,
    jobType: newJob.jobType,
    status: 'pending',
    totalItems: newJob.totalItems,
    processedItems: 0,
    errorCount: 0,
    warningCount: 0,
    keptErrors: 0,
    keptWarnings: 0,
    ...NO_ENTITIES,
    metadata: newJob.metadata,
    triggeredBy: newJob.triggeredBy,
    errorMessage: null,
    createdAt: now,
    startedAt: null,
    completedAt: null,
    updatedAt: now,
    stallAfterSeconds: newJob.stallAfterSeconds,
    stalledAt: null,
    callbackUrl: newJob.callbackUrl,
    attempts: [],
    nextDeliveryAt: null,
    stages: [],
    pace: [],
    createFingerprint,
    epoch: 0,
    revision: 1,
  }
}
