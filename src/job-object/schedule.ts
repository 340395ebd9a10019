import { isFinished, type Job } from '../jobs/job.ts'
import { stallDue } from '../jobs/stall-job.ts'
import type { Recorded } from './journal.ts'

/** How long after a report the alarm looks whether D1 has it, in ms. Setting it costs a row, so it is set rarely. */
export const RECORD_DELAY = 30_000

export interface ScheduleSettings {
  /** How long a finished job stays in its object, in ms. */
  archiveAfter: number
}

/**
 * When the object's one alarm is next needed, in ms since the epoch; undefined where nothing is left to do. It serves
 * four duties: record, stall, delivery and archive. Their times are worked out from the job itself, so that nothing of
 * the schedule is stored, and nothing can be forgotten.
 */
export function nextDue(
  job: Job,
  recorded: Recorded,
  settings: ScheduleSettings,
  now: number,
): number | undefined {
  const isBehind = recorded.revision < job.revision
  const due = [
    isBehind ? now + RECORD_DELAY : archiveDue(job, settings),
    stallDue(job),
    job.nextDeliveryAt ?? undefined,
  ].filter((time) => time !== undefined)
  return due.length === 0 ? undefined : Math.min(...due)
}

/** When a recorded job leaves its object: once it is finished for a while, and delivered or given up. */
export function archiveDue(job: Job, { archiveAfter }: ScheduleSettings): number | undefined {
  if (!isFinished(job.status) || job.nextDeliveryAt !== null) return undefined
  return (job.completedAt ?? job.updatedAt) + archiveAfter
}
