import type { Entry, Job, JobStatus } from './job.ts'
import type { StandingChange, StandingOf } from './standing.ts'

/** What a change made of a job, or why it was refused. `entries` and `standings` are what the job gained by it. */
export type ChangeOutcome =
  | { ok: true; job: Job; entries: Entry[]; standings: StandingChange[] }
  | { ok: false; reason: 'closed'; status: JobStatus }
  | { ok: false; reason: 'metadata_too_large' }

/**
 * A change to a job: pure, so that the same changes always make the same job. A job that comes back as it was given was
 * not changed. `now` is ms since the epoch; `standingOf` answers for the entries before this change.
 */
export type Change = (job: Job, now: number, standingOf: StandingOf) => ChangeOutcome

/** The outcome of a change that adds no entries. */
export function changed(job: Job): ChangeOutcome {
  return { ok: true, job, entries: [], standings: [] }
}
