import type { JsonObject } from './job.ts'

/** An error or warning as a worker reports it; the job gives it its place and its time. */
export interface ReportedEntry {
  entityKey: string
  entityType: string
  errorType: string
  message: string
  step: string | null
  details: JsonObject | null
}

/** One progress report. What is absent takes no effect; what is there takes effect in one step. */
export interface Report {
  markStarted?: true
  totalItems?: number
  processedItems?: number
  metadataPatch?: JsonObject
  stage?: string
  message?: string
  errors?: ReportedEntry[]
  warnings?: ReportedEntry[]
  markCompleted?: true
  /** The error message of the failed job; an empty one fails it too. */
  markFailed?: string
}

/** What a job is created from. */
export interface NewJob {
  jobType: string
  totalItems: number
  metadata: JsonObject
  triggeredBy: string | null
  stallAfterSeconds: number | null
  callbackUrl: string | null
}
