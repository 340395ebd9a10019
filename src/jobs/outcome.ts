import type { Entry, Job, JobStatus } from './job.ts'
import type { EntityChange, EntityStateOf } from './tally.ts'

/** The job after a change, with the entries, entities and message it gained, or why the change was refused. */
export type ChangeOutcome =
  | { ok: true; job: Job; entries: Entry[]; entities: EntityChange[]; message?: string }
  | { ok: false; reason: 'closed'; status: JobStatus }
  | { ok: false; reason: 'metadata_too_large' }
  /** `names` is how many counters the job would have. */
  | { ok: false; reason: 'too_many_counters'; names: number }

/**
 * A change to a job. Pure: the same changes always make the same job. An unchanged job is returned as the same object.
 * `now` is in ms since the epoch; `stateOf` knows the entries before this change.
 */
export type Change = (job: Job, now: number, stateOf: EntityStateOf) => ChangeOutcome

/** The outcome of a change that adds no entries. */
export function changed(job: Job): ChangeOutcome {
  return { ok: true, job, entries: [], entities: [] }
}
