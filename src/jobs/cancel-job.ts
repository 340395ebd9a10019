import { firstDelivery } from './delivery.ts'
import { isFinished, type Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

/** Cancels a job that is not finished. Cancelling it again changes nothing; its worker's next report is refused. */
export function cancelJob(job: Job, reason: string | null, now: number): ChangeOutcome {
  if (job.status === 'cancelled') return changed(job)
  if (isFinished(job.status)) return { ok: false, reason: 'closed', status: job.status }
  return changed({
    ...job,
    status: 'cancelled',
    errorMessage: reason,
    completedAt: now,
    nextDeliveryAt: firstDelivery(job, now),
    stalledAt: null,
    updatedAt: now,
    revision: job.revision + 1,
  })
}
