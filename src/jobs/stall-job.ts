import type { Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

/** When a running job counts as stalled if no report arrives before, in ms since the epoch; undefined: never. */
export function stallDue(job: Job): number | undefined {
  if (job.status !== 'in_progress' || job.stallAfterSeconds === null || job.stalledAt !== null)
    return undefined
  return job.updatedAt + job.stallAfterSeconds * 1_000
}

/** Flags a running job that was silent too long. Its next report clears the flag. */
export function stallJob(job: Job, now: number): ChangeOutcome {
  const due = stallDue(job)
  if (due === undefined || now < due) return changed(job)
  // `updatedAt` stays: it shows how long the worker has been silent.
  return changed({ ...job, stalledAt: now, revision: job.revision + 1 })
}
