import { abandonDue } from '../jobs/abandon-job.ts'
import { isAheadOfClock } from '../jobs/correct-clock.ts'
import { isFinished, type Job } from '../jobs/job.ts'
import { stallDue } from '../jobs/stall-job.ts'

/** How long after a report the alarm looks whether D1 has it, in ms. Setting it costs a row, so it is set rarely. */
export const RECORD_DELAY = 30_000

/** What the object's one alarm is for. */
export type Duty = 'correct_clock' | 'flag_stall' | 'abandon' | 'deliver' | 'record' | 'archive'

export interface ScheduleSettings {
  /** How long a finished job stays in its object, in ms. */
  archiveAfter: number
  /** After how many days without a report a live job is given up; 0: never. */
  abandonAfterDays: number
}

/**
 * All that is to be done for a job by itself, and when, in ms since the epoch. It is worked out from the job, so that
 * nothing of the schedule is stored, and nothing can be forgotten.
 */
export function dutiesOf(
  job: Job,
  isBehind: boolean,
  settings: ScheduleSettings,
  now: number,
): { duty: Duty; at: number }[] {
  const times: Record<Duty, number | null | undefined> = {
    correct_clock: isAheadOfClock(job, now) ? now : undefined,
    flag_stall: stallDue(job),
    abandon: abandonDue(job, settings.abandonAfterDays),
    deliver: job.nextDeliveryAt,
    record: isBehind ? job.updatedAt + RECORD_DELAY : undefined,
    archive: isBehind ? undefined : archiveDue(job, settings, now),
  }
  return (Object.entries(times) as [Duty, number | null | undefined][]).flatMap(([duty, at]) =>
    at === null || at === undefined ? [] : [{ duty, at }],
  )
}

/** A recorded job leaves its object once it is finished for a while, and delivered or given up. */
function archiveDue(job: Job, { archiveAfter }: ScheduleSettings, now: number): number | undefined {
  if (!isFinished(job.status) || job.nextDeliveryAt !== null) return undefined
  return Math.min(job.completedAt ?? job.updatedAt, now) + archiveAfter
}
