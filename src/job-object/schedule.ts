import { isFinished, type Job } from '../jobs/job.ts'
import type { Recorded } from './journal.ts'

/** How long after a report the alarm looks whether D1 has it, in ms. Setting it costs a row, so it is set rarely. */
export const RECORD_DELAY = 30_000

/** How long a finished job stays in its object, in ms. */
export interface ScheduleSettings {
  archiveAfter: number
}

/**
 * When the object's one alarm is next needed, in ms since the epoch; undefined where nothing is left to do. Worked out
 * from the job itself: nothing of it is stored, and nothing can be forgotten.
 */
export function nextDue(
  job: Job,
  recorded: Recorded,
  settings: ScheduleSettings,
  now: number,
): number | undefined {
  if (recorded.revision < job.revision) return now + RECORD_DELAY
  return archiveDue(job, settings)
}

/** When a recorded job leaves its object. */
export function archiveDue(job: Job, { archiveAfter }: ScheduleSettings): number | undefined {
  return isFinished(job.status) ? (job.completedAt ?? job.updatedAt) + archiveAfter : undefined
}
