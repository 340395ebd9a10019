/** What the API takes and returns, in camelCase. `wire.ts` converts to and from the snake_case on the wire. */

export type JobStatus =
  | 'pending'
  | 'in_progress'
  | 'completed'
  | 'completed_with_warnings'
  | 'partial_success'
  | 'failed'
  | 'cancelled'

export interface NewJob {
  jobType: string
  /** Pass 0 if the worker has yet to count them, and report `totalItems` later. */
  totalItems: number
  metadata?: Record<string, unknown>
  /** What to find the job by: up to 16 short texts, by name. */
  labels?: Record<string, string>
  /** The job that it is a part of. */
  parentJobId?: string
  triggeredBy?: string
  /** 10 to 86,400. A started job that is silent for longer is flagged as stalled until its next report. */
  stallAfterSeconds?: number
  /** 10 to 2,592,000, from its creation. A job that has not started, or finished, by then is flagged as late. */
  startWithinSeconds?: number
  finishWithinSeconds?: number
  /** Where to post the finished job: an https URL. */
  callbackUrl?: string
}

/** An error or a warning about one entity, or about the job itself (`entityType` 'job', the default). */
export interface ReportedEntry {
  entityKey: string
  entityType?: string
  /** For machines: 'missing_title', 'http_timeout', … */
  errorType: string
  /** For people. */
  message: string
  step?: string
  details?: Record<string, unknown>
}

/** Anything a report may say. Absent fields change nothing. */
export interface Report {
  markStarted?: boolean
  totalItems?: number
  /** Items done so far, not counting failed ones. */
  processedItems?: number
  /** Items done since the last report. */
  processedDelta?: number
  /** Added to the job's counters of these names. */
  counters?: Record<string, number>
  /** Merged into the job's metadata, key by key. */
  metadataPatch?: Record<string, unknown>
  stage?: string
  message?: string
  error?: ReportedEntry
  warning?: ReportedEntry
  errors?: readonly ReportedEntry[]
  warnings?: readonly ReportedEntry[]
  markCompleted?: boolean
  markFailed?: string
}

/** An error or a warning as the API keeps it. */
export interface JobEntry {
  entityKey: string
  entityType: string
  errorType: string
  message: string
  step: string | null
  details: Record<string, unknown> | null
  timestamp: string
}

/** An error or a warning, and the job that reported it. */
export interface EntityEntry extends JobEntry {
  kind: 'error' | 'warning'
  jobId: string
  jobType: string
}

/** The errors or the warnings of one type. Times are ISO 8601 in UTC. What has been lost is null. */
export interface EntryGroup {
  errorType: string
  count: number
  firstSeen: string | null
  lastSeen: string | null
  /** The newest of them; each text is cut to 200 characters. */
  sample: { entityType: string; entityKey: string; message: string } | null
}

/** The 100 most frequent types of errors and of warnings, most frequent first, and how many entries are of other types. */
export interface EntryGroups {
  errors: EntryGroup[]
  otherErrors: number
  warnings: EntryGroup[]
  otherWarnings: number
}

/** A message that was reported on a job. */
export interface JobMessage {
  /** Its number among all messages of the job, starting with 1. */
  seq: number
  timestamp: string
  message: string
}

/** How a job went. */
export interface JobHistory {
  /** At most 200, oldest first: from the creation of the job to its newest change or its end. */
  points: { timestamp: string; processedItems: number; failedItems: number }[]
  /** The newest 50, oldest first. */
  stages: JobStage[]
}

/** The errors or the warnings of one type, in a period and in the one before, which is as long. */
export interface ErrorGroup {
  /** Cut to 200 characters. */
  errorType: string
  entries: number
  /** Jobs with such entries. */
  jobs: number
  previousEntries: number
  previousJobs: number
}

/** The error types across the jobs that finished in a period: the 100 most frequent of each kind. Times are ISO 8601 in UTC. */
export interface ErrorGroups {
  since: string
  /** Not part of the period. */
  until: string
  previousSince: string
  /** Whether the oldest hours were left out, because the periods have too many types. */
  isPartial: boolean
  errors: ErrorGroup[]
  otherErrors: number
  warnings: ErrorGroup[]
  otherWarnings: number
}

export interface Period {
  /** Default: a day before its end. */
  since?: Date | string
  /** Default: now. */
  until?: Date | string
}

export interface JobStage {
  stage: string
  startedAt: string | null
}

/** What a poller needs of a job. */
export interface JobProgress {
  jobId: string
  status: JobStatus
  totalItems: number
  processedItems: number
  failedItems: number
  /** 0–100 */
  progressPercentage: number
  /** `metadata.stage`, which may be of any type. */
  stage: unknown
}

/** A job without its errors and warnings, as lists and events have it. Times are ISO 8601 in UTC. */
export interface JobSummary {
  jobId: string
  jobType: string
  status: JobStatus
  totalItems: number
  processedItems: number
  failedItems: number
  warnedItems: number
  /** 0–100 */
  progressPercentage: number
  /** 0–100 */
  successRate: number
  counters: Record<string, number>
  /** How often a finishing report had a counter that the job has no room for. */
  countersNotKept: number
  /** Empty in a list that was asked to leave it out. */
  metadata: Record<string, unknown>
  labels: Record<string, string>
  parentJobId: string | null
  triggeredBy: string | null
  callbackUrl: string | null
  errorMessage: string | null
  createdAt: string | null
  startedAt: string | null
  completedAt: string | null
  durationSeconds: number | null
  /** Seconds until a running job ends, at the rate of the last minutes. */
  etaSeconds: number | null
  /** Items a second in the last minutes, of a running job. */
  ratePerSecond: number | null
  stallAfterSeconds: number | null
  stalledAt: string | null
  startWithinSeconds: number | null
  finishWithinSeconds: number | null
  /** When it was found to have missed one of these. */
  lateAt: string | null
  /** All that were reported, kept or not. */
  errorCount: number
  warningCount: number
  entryBytes: number
  entriesNotKept: number
  entitiesNotKept: number
  /** The newest 50, oldest first. */
  stages: JobStage[]
}

/** A job with the newest 100 of its errors and of its warnings, oldest first. `jobs.errors()` has all of them. */
export interface Job extends JobSummary {
  errors: JobEntry[]
  warnings: JobEntry[]
}

/** How many children a job has, and their items. */
export interface JobChildren {
  /** At most 10,000. */
  count: number
  /** False if there are more: the newest 10,000 are counted. */
  isExact: boolean
  byStatus: Partial<Record<JobStatus, number>>
  totalItems: number
  processedItems: number
  failedItems: number
}

export interface LinkedJob {
  jobId: string
  jobType: string
  status: JobStatus
}

/** A job as it is read alone. The relatives are null if the API does not know them right now. */
export interface JobWithRelatives extends Job {
  children: JobChildren | null
  /** The newest 20 jobs whose metadata has its ID as `import_job_id`. */
  linkedFrom: LinkedJob[] | null
}

export interface ChildFilter {
  sort?: 'newest' | 'oldest'
  /** False leaves out the metadata. */
  metadata?: boolean
  /** Jobs per page, 1 to 200: how many each request asks for. */
  pageSize?: number
}

export interface JobFilter {
  status?: JobStatus | readonly JobStatus[]
  jobType?: string
  triggeredBy?: string
  createdAfter?: Date | string
  createdBefore?: Date | string
  /** Only running jobs that are flagged as stalled. */
  stalled?: boolean
  /** Only jobs that have missed a deadline, finished or not. */
  late?: boolean
  /** Only jobs that have all of these labels. */
  labels?: Record<string, string>
  /** The beginning of a job's ID, its type or the value of a label, or an ID that its metadata has under a key with `_job_id`. */
  search?: string
  /** Which jobs come first. By default, the newest. */
  sort?: 'newest' | 'oldest'
  /** False leaves out the metadata. */
  metadata?: boolean
  /** Jobs per page, 1 to 200: how many each request asks for. */
  pageSize?: number
}

/** How many jobs match a filter. */
export interface JobTotal {
  /** At most 10,000. */
  total: number
  /** False if there are, or may be, more. */
  isExact: boolean
}

export interface EntryFilter {
  errorType?: string
  /** Entries per page, 1 to 1,000: how many each request asks for. */
  pageSize?: number
}

/** How many jobs of a type ended in an hour, in one way. */
export interface JobCount {
  /** The beginning of the hour. */
  hour: string
  jobType: string
  status: JobStatus
  jobs: number
}

export interface StatsFilter {
  since?: Date | string
  until?: Date | string
  jobType?: string
}

/** How long the newest 100 completed jobs of a type took, and how many items a second they handled. Null if unknown. */
export interface JobType {
  jobType: string
  /** How many jobs this is of. */
  jobs: number
  medianDurationSeconds: number | null
  p90DurationSeconds: number | null
  medianRatePerSecond: number | null
  p90RatePerSecond: number | null
}
