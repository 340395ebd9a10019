import { firstDelivery } from './delivery.ts'
import type { FinishedStatus, Job } from './job.ts'

/**
 * Finishes `job` in place. Its end is never before its start or its last stage, even if the clock was set back in
 * between.
 */
export function finish(job: Job, status: FinishedStatus, errorMessage: string | null, now: number): void {
  job.status = status
  job.errorMessage = errorMessage
  job.completedAt = Math.max(now, job.startedAt ?? job.createdAt, job.stages.at(-1)?.at ?? now)
  job.nextDeliveryAt = firstDelivery(job, now)
  job.stalledAt = null
}
