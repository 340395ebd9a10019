/** What a job is: the state that the journal holds, that D1 records and that every reply presents. */

/** Any value that JSON can carry. */
type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** The two statuses of a job that may still be reported on. */
export const LIVE_STATUSES = ['pending', 'in_progress'] as const
/** The statuses that close a job for good. */
export const FINISHED_STATUSES = [
  'completed',
  'completed_with_warnings',
  'partial_success',
  'failed',
  'cancelled',
] as const
export const JOB_STATUSES = [...LIVE_STATUSES, ...FINISHED_STATUSES] as const
export type JobStatus = (typeof JOB_STATUSES)[number]
export type FinishedStatus = (typeof FINISHED_STATUSES)[number]

/** Whose job, and which: every look-up names both, so that no organisation can reach another's job. */
export interface JobKey {
  organizationId: string
  jobId: string
}

/** A stage that a job went through. */
export interface Stage {
  stage: string
  /** When it was first reported, in ms since the epoch. */
  at: number
}

/** How much was handled when: a few samples over the last minutes, from which the rate is taken. */
export interface Sample {
  /** In ms since the epoch. */
  at: number
  /** Items handled by then, failed ones included. */
  done: number
}

/** One attempt to post a finished job to its callback URL. */
export interface Attempt {
  /** In ms since the epoch. */
  at: number
  /** The status that the receiver answered with; null where it did not answer. */
  status: number | null
  /** What went wrong, in our own words; null where nothing did. */
  error: string | null
}

/** Times are milliseconds since the epoch, by the server's clock. */
export interface Job {
  jobId: string
  jobType: string
  status: JobStatus
  totalItems: number
  processedItems: number
  /** Distinct entities among the errors, the job itself left out. */
  failedItems: number
  /** Distinct entities among the warnings, the job itself and those that failed left out. */
  warnedItems: number
  /** All errors ever reported, and how many of them are kept: beyond `MAX_ENTRIES` a job only counts. */
  errorCount: number
  warningCount: number
  keptErrors: number
  keptWarnings: number
  /** Entities that are told apart, the bytes of their types and keys, and how often one beyond the bound was met. */
  keptEntities: number
  entityBytes: number
  entitiesNotKept: number
  metadata: JsonObject
  triggeredBy: string | null
  errorMessage: string | null
  createdAt: number
  startedAt: number | null
  completedAt: number | null
  /** When its worker, or whoever created or cancelled it, was last heard of. */
  updatedAt: number
  /** A running job that is silent for longer is flagged as stalled; null: never. */
  stallAfterSeconds: number | null
  stalledAt: number | null
  /** Where the finished job is posted to. */
  callbackUrl: string | null
  attempts: Attempt[]
  /** When it is posted there next; null where it is not, or no more. */
  nextDeliveryAt: number | null
  stages: Stage[]
  pace: Sample[]
  /** SHA-256 of the body that created it, where that was a keyed request: its id then follows from the key. */
  createFingerprint: string | null
  /** 0 for the object that created the job, one more for each that took it over from D1. */
  epoch: number
  /** 1 at creation, one more with each change. A record lands in D1 only over a lower epoch, or a lower revision of its own. */
  revision: number
}

export type EntryKind = 'error' | 'warning'

/** One error or warning of a job. Entries are only ever appended. */
export interface Entry {
  kind: EntryKind
  /** The place among the job's entries of its kind: 1, 2, 3, … without a gap. */
  seq: number
  /** The entry as JSON: see `entryText`. */
  text: string
}

/** A job with the texts of its newest entries, oldest first: what a reply presents. */
export interface JobSnapshot {
  job: Job
  errors: string[]
  warnings: string[]
}

export function isFinished(status: JobStatus): boolean {
  return (FINISHED_STATUSES as readonly JobStatus[]).includes(status)
}
