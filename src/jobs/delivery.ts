import type { Attempt, Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** How long after the end of the first, second, … failed attempt the next one is made: in all, about a day. */
const BACKOFF = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  8 * HOUR,
]
/** The longest wait that a receiver may ask for. */
const LONGEST_WAIT = 8 * HOUR

/** How an attempt ended, and what the receiver said of the next one. */
export interface AttemptOutcome {
  attempt: Attempt
  /** When it was over, in ms since the epoch. */
  endedAt: number
  /** The receiver wants no more of it (410). */
  isGone: boolean
  /** The receiver asked to wait so many ms; null where it did not say. */
  retryAfter: number | null
}

/** When a job that has just been finished is to be posted: at once, where anyone wants it. */
export function firstDelivery(job: Job, now: number): number | null {
  return job.callbackUrl === null ? null : now
}

/** Notes an attempt, and when the next one is due, if any is. */
export function noteAttempt(
  job: Job,
  { attempt, endedAt, isGone, retryAfter }: AttemptOutcome,
): ChangeOutcome {
  const attempts = [...job.attempts, attempt]
  const wait = BACKOFF[attempts.length - 1]
  const isOver = attempt.error === null || isGone || wait === undefined
  const nextDeliveryAt = isOver ? null : endedAt + Math.max(wait, Math.min(retryAfter ?? 0, LONGEST_WAIT))
  return changed({ ...job, attempts, nextDeliveryAt, revision: job.revision + 1 })
}
