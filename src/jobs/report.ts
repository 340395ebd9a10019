import type { JsonObject } from './job.ts'

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
  metadataPatch?: JsonObject
  stage?: string
  message?: string
  errors?: ReportedEntry[]
  warnings?: ReportedEntry[]
  markCompleted?: true
  /** The error message of the failed job. An empty one fails it too. */
  markFailed?: string
}

/** The fields that a job is created with. */
export interface NewJob {
  jobType: string
  totalItems: number
  metadata: JsonObject
  triggeredBy: string | null
  stallAfterSeconds: number | null
  callbackUrl: string | null
}
