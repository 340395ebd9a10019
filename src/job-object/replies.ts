import type { ShownGroup } from '../jobs/entry-page.ts'
import type { EntryKind, Job, JobStatus } from '../jobs/job.ts'
import {
  presentDeliveries,
  type presentHistory,
  presentJob,
  type presentMessage,
  presentStatus,
} from '../jobs/present-job.ts'
import { type RecentEntries, shownTexts } from '../jobs/recent-entries.ts'

/** What a job's object replies. If it throws instead, nothing was acknowledged. */
export type JobReply = JobShown | JobRefusal

export interface JobShown {
  ok: true
  /** The job as published JSON: made here, once for all reports of a commit, since a text crosses to the Worker cheaply. */
  body: string
  revision: number
  /** The job's status now. The body of a repeated reply may show an earlier one. */
  status: JobStatus
  /** Whether the job has more entries than it shows. */
  hasMore: { errors: boolean; warnings: boolean }
  /** True for the reply to an earlier request, given again: nothing was changed. */
  replayed: boolean
}

export type JobRefusal =
  | { ok: false; reason: 'not_found' }
  | { ok: false; reason: 'closed'; status: JobStatus }
  | { ok: false; reason: 'metadata_too_large' }
  /** `names` is how many counters the job would have. */
  | { ok: false; reason: 'too_many_counters'; names: number }
  /** The key was used before with another body. */
  | { ok: false; reason: 'key_reused' }
  /** The key created this job so long ago that the request cannot be a repeat. */
  | { ok: false; reason: 'key_expired'; jobId: string }
  /** The journal failed; or it is empty, and D1 cannot say whether the job exists. */
  | { ok: false; reason: 'unavailable' }

export const UNAVAILABLE: JobRefusal = { ok: false, reason: 'unavailable' }

/** One page of entries. The next page starts after `next`; null at the end. */
export interface EntriesReply {
  ok: true
  texts: string[]
  next: number | null
}

/** The most frequent error types of one kind of entry, and the number of entries with any other type. */
export interface GroupsOfKind {
  groups: ShownGroup[]
  others: number
}

export type GroupsReply = { ok: true } & Record<EntryKind, GroupsOfKind>

/** A stream of server-sent events; null if none will follow. */
export interface WatchReply {
  ok: true
  events: ReadableStream<Uint8Array> | null
}

/** The few fields that a poller needs, and the revision that they are of. */
export interface StatusReply {
  ok: true
  revision: number
  status: ReturnType<typeof presentStatus>
}

/** The newest messages, oldest first. */
export interface MessagesReply {
  ok: true
  messages: ReturnType<typeof presentMessage>[]
}

/** How the job went. */
export interface HistoryReply {
  ok: true
  history: ReturnType<typeof presentHistory>
}

/** How posting the job to its callback URL went. */
export interface DeliveriesReply {
  ok: true
  deliveries: ReturnType<typeof presentDeliveries>
}

/** The job as a reply shows it. `asOf` is in ms since the epoch. */
export function show(job: Job, recent: RecentEntries, asOf: number): JobShown {
  const { errors, warnings } = shownTexts(recent)
  return {
    ok: true,
    replayed: false,
    body: presentJob({ job, errors, warnings }, asOf),
    revision: job.revision,
    status: job.status,
    hasMore: { errors: job.keptErrors > errors.length, warnings: job.keptWarnings > warnings.length },
  }
}

export function showStatus(job: Job): StatusReply {
  return { ok: true, revision: job.revision, status: presentStatus(job) }
}

export function showDeliveries(job: Job): DeliveriesReply {
  return { ok: true, deliveries: presentDeliveries(job) }
}

/** `show` for a repeated request, whose job has this `status` by now. */
export function replay(job: Job, recent: RecentEntries, asOf: number, status: JobStatus): JobShown {
  return { ...show(job, recent, asOf), status, replayed: true }
}
