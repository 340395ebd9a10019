import type { Job } from './job.ts'
import type { NewJob } from './report.ts'

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
    jobId,
    jobType: newJob.jobType,
    status: 'pending',
    totalItems: newJob.totalItems,
    processedItems: 0,
    failedItems: 0,
    warnedItems: 0,
    errorCount: 0,
    warningCount: 0,
    keptErrors: 0,
    keptWarnings: 0,
    keptEntities: 0,
    entityBytes: 0,
    entitiesNotKept: 0,
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
