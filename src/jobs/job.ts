/** A job's state, as the journal holds it, D1 records it and every reply presents it. */

/** Any JSON value. */
type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** Sums by name: see `addCounters`. */
export type Counters = Record<string, number>

/** What a job is found by, by name: see `MAX_LABELS`. */
export type Labels = Record<string, string>

/** The statuses of a job that still takes reports. */
export const LIVE_STATUSES = ['pending', 'in_progress'] as const
/** The statuses of a job that is closed for good. */
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

/** Names a job and its organization. Every look-up needs both, so no organization can reach another's job. */
export interface JobKey {
  organizationId: string
  jobId: string
}

/** One text for both, by which maps and sets tell jobs apart. */
export function nameOf({ organizationId, jobId }: JobKey): string {
  return JSON.stringify([organizationId, jobId])
}

/** A stage that a job went through. */
export interface Stage {
  stage: string
  /** When it was first reported, in ms since the epoch. */
  at: number
}

/** How much was handled at a time. The rate is computed from a few samples over the last minutes. */
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
  /** The status of the response; null if there was none. */
  status: number | null
  /** What went wrong, in our own words; null if nothing did. */
  error: string | null
}

/** Times are in ms since the epoch, by the server's clock. */
export interface Job {
  jobId: string
  jobType: string
  status: JobStatus
  totalItems: number
  processedItems: number
  /** What workers count beside the items, by name. */
  counters: Counters
  /** How often a report that finishes the job had a counter that the job has no room for. */
  countersNotKept: number
  /** Distinct entities among the errors, except the job itself. */
  failedItems: number
  /** Distinct entities among the warnings, except the job itself and entities that failed. */
  warnedItems: number
  /** Entries ever reported, and entries kept. An entry that the job has no room for is only counted. */
  errorCount: number
  warningCount: number
  keptErrors: number
  keptWarnings: number
  /** UTF-8 bytes of the texts of the kept entries, both kinds together. */
  entryBytes: number
  /** Entities remembered, the bytes of their types and keys, and how often an entity beyond the bound was counted. */
  keptEntities: number
  entityBytes: number
  entitiesNotKept: number
  metadata: JsonObject
  /** As it was created: they never change. */
  labels: Labels
  /** The job that it is a part of, in the same organization. */
  parentJobId: string | null
  triggeredBy: string | null
  errorMessage: string | null
  createdAt: number
  startedAt: number | null
  completedAt: number | null
  /** Until when one final report is taken of a canceled job; null: none is, or it has come. See `isFinalReport`. */
  finalReportUntil: number | null
  /** When it was created, last reported on, or cancelled. */
  updatedAt: number
  /** A running job without a report for this long is flagged as stalled; null: never. */
  stallAfterSeconds: number | null
  stalledAt: number | null
  /** Deadlines, both counted from its creation; null: none. */
  startWithinSeconds: number | null
  finishWithinSeconds: number | null
  /** When it was found to have missed the first of them. It stays. */
  lateAt: number | null
  /** Where to post the finished job; null: nowhere. */
  callbackUrl: string | null
  attempts: Attempt[]
  /** When it is posted there next; null if no delivery is due. */
  nextDeliveryAt: number | null
  stages: Stage[]
  pace: Sample[]
  /** SHA-256 of the body of the keyed request that created it, from whose key its id derives; null without a key. */
  createFingerprint: string | null
  /** 0 for the object that created the job, one more for each object that adopted it from D1. */
  epoch: number
  /** 1 at creation, one more with each change. A record lands in D1 only if (epoch, revision) is higher than D1's. */
  revision: number
}

/**
 * What a job has before its first report, and what a job lacks that was stored by a version without the field: a field
 * added to `Job` needs its value here.
 */
export const UNREPORTED = {
  processedItems: 0,
  counters: {},
  countersNotKept: 0,
  failedItems: 0,
  warnedItems: 0,
  errorCount: 0,
  warningCount: 0,
  keptErrors: 0,
  keptWarnings: 0,
  entryBytes: 0,
  keptEntities: 0,
  entityBytes: 0,
  entitiesNotKept: 0,
  labels: {},
  parentJobId: null,
  errorMessage: null,
  startedAt: null,
  completedAt: null,
  finalReportUntil: null,
  stallAfterSeconds: null,
  stalledAt: null,
  startWithinSeconds: null,
  finishWithinSeconds: null,
  lateAt: null,
  callbackUrl: null,
  attempts: [],
  nextDeliveryAt: null,
  stages: [],
  pace: [],
  createFingerprint: null,
  epoch: 0,
} satisfies Partial<Job>

/** A job as any version may have stored it. */
export type StoredJob = Omit<Job, keyof typeof UNREPORTED> & Partial<Job>

/** The job in the form of this version. An unknown field, stored by a newer version before a rollback, is kept. */
export function upgradeJob(stored: StoredJob): Job {
  return { ...UNREPORTED, ...stored }
}

export type EntryKind = 'error' | 'warning'

/** One error or warning of a job. Entries are only ever appended. */
export interface Entry {
  kind: EntryKind
  /** Its number among the job's entries of its kind: 1, 2, 3, … without gaps. */
  seq: number
  /** The entry as JSON: see `entryText`. */
  text: string
}

/** An error or warning as a worker reports it. The job adds its number and time. */
export interface ReportedEntry {
  entityKey: string
  entityType: string
  errorType: string
  message: string
  step: string | null
  details: JsonObject | null
}

/** One progress report. Absent fields have no effect; the others take effect in one step. */
export interface Report {
  markStarted?: true
  totalItems?: number
  processedItems?: number
  /** Added to the processed items. Never together with `processedItems`. */
  processedDelta?: number
  /** Added to the counters of the same names. */
  counters?: Counters
  metadataPatch?: JsonObject
  stage?: string
  message?: string
  errors?: ReportedEntry[]
  warnings?: ReportedEntry[]
  markCompleted?: true
  /** The error message of the failed job. An empty one fails it too. */
  markFailed?: string
}

/** A job with the texts of its newest entries, oldest first, as a reply presents it. */
export interface JobSnapshot {
  job: Job
  errors: string[]
  warnings: string[]
}

export function isFinished(status: JobStatus): boolean {
  return (FINISHED_STATUSES as readonly JobStatus[]).includes(status)
}

/** The number of entries of each kind that the job keeps. */
export function keptCounts({ keptErrors, keptWarnings }: Job): Record<EntryKind, number> {
  return { error: keptErrors, warning: keptWarnings }
}
