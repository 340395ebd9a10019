import type { JobStatus } from './job.ts'

/** What a job's reporter had not sent, or not got acknowledged, when it gave up or was closed. */
export interface Unsent {
  errors: number
  warnings: number
  totalItems?: number
  processedItems?: number
  processedDelta?: number
  counters?: Record<string, number>
  stage?: string
  mark?: 'completed' | 'failed'
}

/** The job is finished, for example because someone canceled it. Stop working on it. */
export class JobClosedError extends Error {
  override name = 'JobClosedError'
  /** The job's status. Undefined if the API did not name it. */
  readonly status: JobStatus | undefined
  /** What the API will not take anymore. */
  readonly unsent: Unsent | undefined

  constructor(message: string, status?: JobStatus, unsent?: Unsent) {
    super(message)
    this.status = status
    this.unsent = unsent
  }
}

/** The API will never accept this request: a wrong key, an invalid field, an unknown job. */
export class RequestRefusedError extends Error {
  override name = 'RequestRefusedError'
  readonly status: number
  /** The reply's `detail`: a sentence, or a list of validation errors. */
  readonly detail: unknown
  /** For a report: the part of its body, in snake_case, that was refused and is not sent again. */
  readonly refused: Record<string, unknown> | undefined

  constructor(status: number, detail: unknown, refused?: Record<string, unknown>) {
    super(`${status} ${describeDetail(detail)}`)
    this.status = status
    this.detail = detail
    this.refused = refused
  }
}

/** The API gave no usable reply in time. The last attempt may still have been applied. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
  /** For a job's reporter: what it keeps, and sends with the next call. */
  readonly unsent: Unsent | undefined
  /** How many milliseconds to wait before the next attempt. */
  readonly retryAfterMs: number

  constructor(message: string, options: { cause?: unknown; unsent?: Unsent; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause })
    this.unsent = options.unsent
    this.retryAfterMs = options.retryAfterMs ?? 0
  }
}

/** The buffer of a job's reporter is full: see `JobReporter.dropped`. */
export class EntriesDroppedError extends Error {
  override name = 'EntriesDroppedError'
  /** How many errors and warnings have been dropped so far. */
  readonly dropped: number

  constructor(dropped: number) {
    super(`${dropped} errors and warnings were dropped, because too many are waiting to be sent`)
    this.dropped = dropped
  }
}

export function describeDetail(detail: unknown): string {
  return typeof detail === 'string' ? detail : JSON.stringify(detail)
}
