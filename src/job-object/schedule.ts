import { abandonDue } from '../jobs/abandon-job.ts'
import { isAheadOfClock } from '../jobs/correct-clock.ts'
import { lateDue } from '../jobs/deadlines.ts'
import { isFinished, type Job } from '../jobs/job.ts'
import { stallDue } from '../jobs/stall-job.ts'
import type { Settings } from '../settings.ts'

/**
 * How long after a report the alarm checks that D1 has it, in ms. Setting an alarm writes a row, so it is done rarely.
 */
export const RECORD_DELAY = 30_000

/** What the object's only alarm does. */
export type Duty = 'correct_clock' | 'flag_stall' | 'flag_late' | 'abandon' | 'deliver' | 'record' | 'archive'

/**
 * Everything that has to be done for a job without a request, and when, in ms since the epoch. It is computed from the
 * job alone: no schedule is stored that could go stale.
 */
export function dutiesOf(
  job: Job,
  isBehind: boolean,
  settings: Settings,
  now: number,
): { duty: Duty; at: number }[] {
  const times: Record<Duty, number | null | undefined> = {
    correct_clock: isAheadOfClock(job, now) ? now : undefined,
    flag_stall: stallDue(job),
    flag_late: lateDue(job),
    abandon: abandonDue(job, settings.abandonAfterDays),
    deliver: job.nextDeliveryAt,
    record: isBehind ? job.updatedAt + RECORD_DELAY : undefined,
    archive: isBehind ? undefined : archiveDue(job, settings, now),
  }
  return (Object.entries(times) as [Duty, number | null | undefined][]).flatMap(([duty, at]) =>
    at === null || at === undefined ? [] : [{ duty, at }],
  )
}

/**
 * A recorded job is archived some time after it finished, once it is delivered or delivery has been given up, and no
 * final report can come any more.
 */
function archiveDue(job: Job, { archiveAfter }: Settings, now: number): number | undefined {
  if (!isFinished(job.status) || job.nextDeliveryAt !== null) return undefined
  return Math.max(Math.min(job.completedAt ?? job.updatedAt, now) + archiveAfter, job.finalReportUntil ?? 0)
}
