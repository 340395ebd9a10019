import type { Job, Report } from './job.ts'

/**
 * Whether a canceled job takes this report, as its last. The worker has counted on until a reply tells it of the
 * cancellation, so one report of what it still has is taken until `finalReportUntil`. A mark comes too late, and a report
 * of nothing must not use up that one.
 */
export function isFinalReport(job: Job, report: Report, now: number): boolean {
  const { markStarted, markCompleted, markFailed, ...rest } = report
  const hasMark = markStarted || markCompleted || markFailed !== undefined
  return awaitsFinalReport(job, now) && !hasMark && Object.keys(rest).length > 0
}

/** Whether a final report may still come. `now` is in ms since the epoch. */
export function awaitsFinalReport({ finalReportUntil }: Job, now: number): boolean {
  return finalReportUntil !== null && now < finalReportUntil
}
