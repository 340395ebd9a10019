import type { Attempt, Job } from './job.ts'
import { DELIVERY_PAUSES, MAX_DELIVERY_PAUSE } from './limits.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

/**
 * The longest that an attempt takes, in ms: 20 s for D1 to return the secret and 15 s for the receiver. If it seems to
 * have taken longer, the clock was changed.
 */
const MAX_ATTEMPT = 35_000

/** How an attempt ended, and what the receiver said about the next one. */
export interface AttemptOutcome {
  attempt: Attempt
  /** In ms since the epoch. */
  endedAt: number
  /** The receiver wants no more deliveries (410). */
  isGone: boolean
  /** How long the receiver asked to wait, in ms; null if it did not say. */
  retryAfter: number | null
}

/** When a job that has just finished is first posted: at once; null if it has no callback URL. */
export function firstDelivery(job: Job, now: number): number | null {
  return job.callbackUrl === null ? null : now
}

/** Notes an attempt, and when the next one is due, if there is one. */
export function noteAttempt(
  job: Job,
  { attempt, endedAt, isGone, retryAfter }: AttemptOutcome,
): ChangeOutcome {
  const attempts = [...job.attempts, attempt]
  const wait = DELIVERY_PAUSES[attempts.length - 1]
  const isOver = attempt.error === null || isGone || wait === undefined
  const from = Math.min(endedAt, attempt.at + MAX_ATTEMPT)
  const nextDeliveryAt = isOver ? null : from + Math.max(wait, Math.min(retryAfter ?? 0, MAX_DELIVERY_PAUSE))
  return changed({ ...job, attempts, nextDeliveryAt, revision: job.revision + 1 })
}
