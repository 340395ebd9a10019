import { isFinished, type Job } from './job.ts'

/** What is worked out from a job's counts and times whenever it is shown; none of it is stored. */

/** Share of the items that were handled, failed ones included, 0–100 with 2 decimals. */
export function progressPercentage(job: Job): number {
  if (job.totalItems === 0) return isDone(job) ? 100 : 0
  const share = ((job.processedItems + job.failedItems) / job.totalItems) * 100
  return toTwoDecimals(Math.min(100, Math.max(0, share)))
}

/** Share of the handled items that did not fail, 0–100 with 2 decimals; 0 while nothing was handled. */
export function successRate(job: Job): number {
  const handled = job.processedItems + job.failedItems
  return handled === 0 ? 0 : toTwoDecimals((job.processedItems / handled) * 100)
}

/** Seconds from the start to the end, or to `now` while the job runs; null before the start. */
export function durationSeconds(job: Job, now: number): number | null {
  if (job.startedAt === null) return null
  // A machine's clock may be set back between two reports, and a duration below zero would mean nothing to anyone.
  return Math.max(0, (job.completedAt ?? now) - job.startedAt) / 1000
}

/** Completed in any of its three ways: with nothing to do at all, the whole of it has then been done. */
function isDone(job: Job): boolean {
  return isFinished(job.status) && job.status !== 'failed' && job.status !== 'cancelled'
}

function toTwoDecimals(value: number): number {
  return Math.round(value * 100) / 100
}
