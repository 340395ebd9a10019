/** The parts of the API's replies that the page reads. Types only: this file never reaches a browser. */

export type JobStatus =
  | 'pending'
  | 'in_progress'
  | 'completed'
  | 'completed_with_warnings'
  | 'partial_success'
  | 'failed'
  | 'cancelled'

/** A job in a list or an event; times are ISO 8601, durations seconds. */
export interface Job {
  job_id: string
  job_type: string
  status: JobStatus
  total_items: number
  processed_items: number
  failed_items: number
  warned_items: number
  progress_percentage: number
  success_rate: number
  created_at: string | null
  started_at: string | null
  completed_at: string | null
  duration_seconds: number | null
  triggered_by: string | null
  error_message: string | null
  callback_url?: string | null
  error_count: number
  warning_count: number
  entries_not_kept: number
  stalled_at: string | null
  stall_after_seconds: number | null
  eta_seconds?: number | null
  rate_per_second?: number | null
  stages?: Stage[]
  /** Absent in the list, which does not show it. */
  metadata?: Record<string, unknown> | null
}

export interface Stage {
  stage: string
  started_at: string
}

/** `status` is the HTTP status of the reply, null without one. */
export interface Delivery {
  attempted_at: string
  status: number | null
  error: string | null
}

export interface Entry {
  entity_key: string
  entity_type: string
  error_type: string
  message: string
  step: string | null
  details: Record<string, unknown> | null
  timestamp: string
}

export interface EntryGroup {
  error_type: string
  count: number
}

/** The name of the endpoint, and of the field in its reply. */
export type EntryKind = 'errors' | 'warnings'

/** The outcome of a call. `retryAfter` is in seconds, null if the server sent none. */
export type Outcome<Body> =
  | { ok: true; body: Body }
  | { ok: false; reason: FailureReason; detail: string; retryAfter: number | null }

export type FailureReason =
  | 'signed-out'
  /** The credential belongs to several organizations, and the call named none. */
  | 'which-organization'
  | 'forbidden'
  | 'missing'
  | 'finished'
  | 'refused'
  | 'busy'
  | 'unavailable'
  | 'offline'

export type Failure = Extract<Outcome<never>, { ok: false }>
