/** The API's types in camelCase, and the conversion to and from the snake_case on the wire. */

export interface NewJob {
  jobType: string
  /** Pass 0 if the worker has yet to count them, and `report({ totalItems })` later. */
  totalItems: number
  metadata?: Record<string, unknown>
  triggeredBy?: string
  /** 10 to 86,400. A started job that is silent for longer is flagged as stalled until its next report. */
  stallAfterSeconds?: number
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

/** One progress report. All of its fields apply together or not at all; absent fields change nothing. */
export interface Report {
  markStarted?: boolean
  totalItems?: number
  /** Items done so far, not counting failed ones. */
  processedItems?: number
  /** Merged into the job's metadata, key by key. */
  metadataPatch?: Record<string, unknown>
  stage?: string
  message?: string
  error?: ReportedEntry
  warning?: ReportedEntry
  /** At most 500 entries in one report. */
  errors?: ReportedEntry[]
  warnings?: ReportedEntry[]
  markCompleted?: boolean
  markFailed?: string
}

interface JobEntry {
  entityKey: string
  entityType: string
  errorType: string
  message: string
  step: string | null
  details: Record<string, unknown> | null
  timestamp: string
}

/** A job as the API returns it. Times are ISO 8601 in UTC; `errors` and `warnings` hold the newest 100 of each. */
export interface Job {
  jobId: string
  jobType: string
  /** `in_progress`, `completed`, …: the description of the API lists them all. */
  status: string
  totalItems: number
  processedItems: number
  failedItems: number
  warnedItems: number
  /** 0–100 */
  progressPercentage: number
  /** 0–100 */
  successRate: number
  metadata: Record<string, unknown>
  triggeredBy: string | null
  errorMessage: string | null
  createdAt: string | null
  startedAt: string | null
  completedAt: string | null
  durationSeconds: number | null
  errors: JobEntry[]
  warnings: JobEntry[]
}

/** Builds the body of a create request. */
export function writeNewJob(job: NewJob): Record<string, unknown> {
  return {
    job_type: job.jobType,
    total_items: job.totalItems,
    metadata: job.metadata,
    triggered_by: job.triggeredBy,
    stall_after_seconds: job.stallAfterSeconds,
  }
}

/** Builds the body of a progress request. JSON.stringify drops undefined fields. */
export function writeReport(report: Report): Record<string, unknown> {
  return {
    mark_started: report.markStarted,
    total_items: report.totalItems,
    processed_items: report.processedItems,
    metadata_patch: report.metadataPatch,
    stage: report.stage,
    message: report.message,
    error: report.error && writeEntry(report.error),
    warning: report.warning && writeEntry(report.warning),
    errors: report.errors?.map(writeEntry),
    warnings: report.warnings?.map(writeEntry),
    mark_completed: report.markCompleted,
    mark_failed: report.markFailed,
  }
}

function writeEntry(entry: ReportedEntry): Record<string, unknown> {
  return {
    entity_key: entry.entityKey,
    entity_type: entry.entityType,
    error_type: entry.errorType,
    message: entry.message,
    step: entry.step,
    details: entry.details,
  }
}

interface WireEntry {
  entity_key: string
  entity_type: string
  error_type: string
  message: string
  step?: string | null
  details?: Record<string, unknown> | null
  timestamp: string
}

/** A job on the wire. Fields that the contract does not require may be absent. */
interface WireJob {
  job_id: string
  job_type: string
  status: string
  total_items: number
  processed_items: number
  failed_items: number
  warned_items?: number
  progress_percentage: number
  success_rate: number
  metadata?: Record<string, unknown> | null
  triggered_by?: string | null
  error_message?: string | null
  created_at?: string | null
  started_at?: string | null
  completed_at?: string | null
  duration_seconds?: number | null
  errors?: WireEntry[]
  warnings?: WireEntry[]
}

/** Reads the job from a reply. Throws a TypeError if the reply is not a job, because the URL is not the API's. */
export function readJob(reply: unknown): Job {
  if (!isWireJob(reply)) throw new TypeError('The reply is not a job. Does the URL point to the Jobs API?')
  return {
    jobId: reply.job_id,
    jobType: reply.job_type,
    status: reply.status,
    totalItems: reply.total_items,
    processedItems: reply.processed_items,
    failedItems: reply.failed_items,
    warnedItems: reply.warned_items ?? 0,
    progressPercentage: reply.progress_percentage,
    successRate: reply.success_rate,
    metadata: reply.metadata ?? {},
    triggeredBy: reply.triggered_by ?? null,
    errorMessage: reply.error_message ?? null,
    createdAt: reply.created_at ?? null,
    startedAt: reply.started_at ?? null,
    completedAt: reply.completed_at ?? null,
    durationSeconds: reply.duration_seconds ?? null,
    errors: (reply.errors ?? []).map(readEntry),
    warnings: (reply.warnings ?? []).map(readEntry),
  }
}

// Enough to tell the API's reply from a proxy's page. The API guarantees the rest.
function isWireJob(reply: unknown): reply is WireJob {
  return (
    typeof reply === 'object' &&
    reply !== null &&
    'job_id' in reply &&
    typeof reply.job_id === 'string' &&
    'status' in reply &&
    typeof reply.status === 'string'
  )
}

function readEntry(entry: WireEntry): JobEntry {
  return {
    entityKey: entry.entity_key,
    entityType: entry.entity_type,
    errorType: entry.error_type,
    message: entry.message,
    step: entry.step ?? null,
    details: entry.details ?? null,
    timestamp: entry.timestamp,
  }
}
