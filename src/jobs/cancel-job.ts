import { lateAtBy } from './deadlines.ts'
import { finish } from './finish-job.ts'
import { isFinished, type Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

/**
 * Cancels an unfinished job. For `grace` ms, its worker can still send a final report: see `isFinalReport`. Any other
 * report is refused. Cancelling it again changes nothing.
 */
export function cancelJob(job: Job, reason: string | null, now: number, grace: number): ChangeOutcome {
  if (job.status === 'cancelled') return changed(job)
  if (isFinished(job.status)) return { ok: false, reason: 'closed', status: job.status }
  const cancelled = {
    ...job,
    finalReportUntil: now + grace,
    updatedAt: now,
    lateAt: lateAtBy(job, now),
    revision: job.revision + 1,
  }
  finish(cancelled, 'cancelled', reason, now)
  return changed(cancelled)
}
