import type { EntryGroup } from '../jobs/entry-page.ts'
import type { EntryKind, JobSnapshot, JobStatus } from '../jobs/job.ts'
import type { Answer } from '../jobs/retry.ts'

/** What a job's object answers. Where it throws instead, nothing was acknowledged. */
export type JobReply = JobShown | JobRefusal

export interface JobShown extends JobSnapshot {
  ok: true
  /** When the job was so, in ms since the epoch. */
  asOf: number
  /** The answer to an earlier request, given again to its retry: nothing was changed. */
  replayed: boolean
}

export type JobRefusal =
  | { ok: false; reason: 'not_found' }
  | { ok: false; reason: 'closed'; status: JobStatus }
  | { ok: false; reason: 'metadata_too_large' }
  | { ok: false; reason: 'retry_key_reused' }
  /** The journal did not take it, or, while that is empty, D1 cannot tell whether there is such a job. */
  | { ok: false; reason: 'unavailable' }

/** One page of entries; `next` is the place to go on behind, null at the end. */
export interface EntriesReply {
  ok: true
  texts: string[]
  next: number | null
}

/** The error types of a job's entries, the most frequent first. */
export type GroupsReply = { ok: true } & Record<EntryKind, EntryGroup[]>

/** A stream of server-sent events; null where nothing is to come any more. */
export interface WatchReply {
  ok: true
  events: ReadableStream<Uint8Array> | null
}

export function shown({ job, errors, warnings }: JobSnapshot, asOf: number): JobShown {
  return { ok: true, asOf, replayed: false, job, errors, warnings }
}

export function shownAgain({ asOf, job }: Answer, errors: string[], warnings: string[]): JobShown {
  return { ok: true, asOf, replayed: true, job, errors, warnings }
}
