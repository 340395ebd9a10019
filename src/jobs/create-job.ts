import type { Job } from './job.ts'
import type { NewJob } from './report.ts'

/** A job as it stands when it is created: pending, with nothing done. `now` is milliseconds since the epoch. */
export function createJob(jobId: string, order: NewJob, now: number): Job {
  return {
    jobId,
    jobType: order.jobType,
    status: 'pending',
    totalItems: order.totalItems,
    processedItems: 0,
    failedItems: 0,
    warnedItems: 0,
    errorCount: 0,
    warningCount: 0,
    keptErrors: 0,
    keptWarnings: 0,
    metadata: order.metadata,
    triggeredBy: order.triggeredBy,
    errorMessage: null,
    createdAt: now,
    startedAt: null,
    completedAt: null,
    updatedAt: now,
    stallAfterSeconds: order.stallAfterSeconds,
    stalledAt: null,
    callbackUrl: order.callbackUrl,
    attempts: [],
    nextDeliveryAt: null,
    stages: [],
    pace: [],
    revision: 1,
  }
}
