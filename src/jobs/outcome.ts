import type { Entry, Job, JobStatus } from './job.ts'
import type { EntityChange, EntityStateOf } from './tally.ts'

/** What a change made of a job, or why it was refused. `entries` and `entities` are what the job gained by it. */
export type ChangeOutcome =
  | { ok: true; job: Job; entries: Entry[]; entities: EntityChange[] }
  | { ok: false; reason: 'closed'; status: JobStatus }
  | { ok: false; reason: 'metadata_too_large' }

/**
 * A change to a job: pure, so that the same changes always make the same job. A job that comes back as it was given was
 * not changed. `now` is ms since the epoch; `stateOf` answers for the entries before this change.
 */
export type Change = (job: Job, now: number, stateOf: EntityStateOf) => ChangeOutcome

/** The outcome of a change that adds no entries. */
export function changed(job: Job): ChangeOutcome {
  return { ok: true, job, entries: [], entities: [] }
}
