/** What the API answers, as far as the page reads it. Types only: nothing of this file reaches a browser. */

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
  /** Not in the list, which shows none of it. */
  metadata?: Record<string, unknown> | null
}

export interface Stage {
  stage: string
  started_at: string
}

/** `status`: what was answered, null where nothing was. */
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

/** Errors or warnings: the name of the endpoint, and of the field in its answer. */
export type EntryKind = 'errors' | 'warnings'

/** What came of a call. `retryAfter` is in seconds, null where the server named none. */
export type Outcome<Body> =
  | { ok: true; body: Body }
  | { ok: false; reason: FailureReason; detail: string; retryAfter: number | null }

export type FailureReason =
  | 'signed-out'
  /** The credential belongs to several organizations, and none of them was named. */
  | 'which-organization'
  | 'forbidden'
  | 'missing'
  | 'finished'
  | 'refused'
  | 'busy'
  | 'unavailable'
  | 'offline'

export type Failure = Extract<Outcome<never>, { ok: false }>
