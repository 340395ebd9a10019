/**
 * The parts of the API's replies that the page reads. Types only: this file never reaches a browser, so it may import
 * types from the Worker. The page and the API are always of one version: the same Worker serves both.
 */
import type { FinishedStatus, JobStatus } from '../jobs/job.ts'
import type { presentDeliveries, presentSummary } from '../jobs/present-job.ts'

export type { FinishedStatus, JobStatus }

type Summary = ReturnType<typeof presentSummary>

/** A job in a list or an event. The list leaves out its metadata. */
export type Job = Omit<Summary, 'metadata'> & Partial<Pick<Summary, 'metadata'>>

export type Stage = Job['stages'][number]

export type Delivery = ReturnType<typeof presentDeliveries>['deliveries'][number]

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
  first_seen: string | null
  last_seen: string | null
  sample: { entity_type: string; entity_key: string; message: string } | null
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
