import { firstDelivery } from './delivery.ts'
import type { FinishedStatus, Job } from './job.ts'

/** Closes a job that is being changed. Its end is never before its start, even where the clock was set back between. */
export function finish(job: Job, status: FinishedStatus, errorMessage: string | null, now: number): void {
  job.status = status
  job.errorMessage = errorMessage
  job.completedAt = Math.max(now, job.startedAt ?? job.createdAt)
  job.nextDeliveryAt = firstDelivery(job, now)
  job.stalledAt = null
}
