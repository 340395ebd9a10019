import { isFinished, type Job } from './job.ts'

/** Values computed from a job's counts and times whenever it is shown. None of them is stored. */

/** Percentage of items handled, failed ones included: 0–100 with 2 decimals. */
export function progressPercentage(job: Job): number {
  if (job.totalItems === 0) return isDone(job) ? 100 : 0
  const share = ((job.processedItems + job.failedItems) / job.totalItems) * 100
  return toTwoDecimals(Math.min(100, Math.max(0, share)))
}

/** Percentage of handled items that did not fail: 0–100 with 2 decimals; 0 before any was handled. */
export function successRate(job: Job): number {
  const handled = job.processedItems + job.failedItems
  return handled === 0 ? 0 : toTwoDecimals((job.processedItems / handled) * 100)
}

/** Seconds from start to end, or to `now` (ms since the epoch) while the job runs; null before the start. */
export function durationSeconds(job: Job, now: number): number | null {
  if (job.startedAt === null) return null
  // Never negative, even if the clock was set back between two reports.
  return Math.max(0, (job.completedAt ?? now) - job.startedAt) / 1000
}

/** Completed in any of the three ways: a job without items is then 100 % done. */
function isDone(job: Job): boolean {
  return isFinished(job.status) && job.status !== 'failed' && job.status !== 'cancelled'
}

function toTwoDecimals(value: number): number {
  return Math.round(value * 100) / 100
}
