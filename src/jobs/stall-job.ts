import type { Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

/** When a running job counts as stalled if nothing is reported until then, in ms; undefined where it never will. */
export function stallDue(job: Job): number | undefined {
  if (job.status !== 'in_progress' || job.stallAfterSeconds === null || job.stalledAt !== null)
    return undefined
  return job.updatedAt + job.stallAfterSeconds * 1_000
}

/** Flags a running job that was silent for too long. The next report clears the flag. */
export function stallJob(job: Job, now: number): ChangeOutcome {
  const due = stallDue(job)
  if (due === undefined || now < due) return changed(job)
  // Not a report: `updatedAt` stays, which says how long the worker has been silent.
  return changed({ ...job, stalledAt: now, revision: job.revision + 1 })
}
