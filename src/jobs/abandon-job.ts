import { finish } from './finish-job.ts'
import { isFinished, type Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

const DAY = 24 * 60 * 60 * 1_000

/** When a live job counts as abandoned if no report arrives before, in ms since the epoch; undefined: never. */
export function abandonDue(job: Job, afterDays: number): number | undefined {
  return afterDays === 0 || isFinished(job.status) ? undefined : job.updatedAt + afterDays * DAY
}

/** Fails a job after `afterDays` days without a report, so it does not stay open forever. */
export function abandonJob(job: Job, afterDays: number, now: number): ChangeOutcome {
  const due = abandonDue(job, afterDays)
  if (due === undefined || now < due) return changed(job)
  const abandoned = { ...job, revision: job.revision + 1 }
  finish(abandoned, 'failed', `Abandoned: nothing was reported for ${afterDays} days`, now)
  return changed(abandoned)
}
