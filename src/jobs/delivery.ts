import type { Attempt, Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** How long after the first, second, … failed attempt the next one is made: in all, about a day. */
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

/** When a job that has just been finished is to be posted: at once, where anyone wants it. */
export function firstDelivery(job: Job, now: number): number | null {
  return job.callbackUrl === null ? null : now
}

/** Notes an attempt, and when the next one is due, if any is. */
export function noteAttempt(job: Job, attempt: Attempt): ChangeOutcome {
  const attempts = [...job.attempts, attempt]
  const wait = BACKOFF[attempts.length - 1]
  const isOver = attempt.error === null || wait === undefined
  const nextDeliveryAt = isOver ? null : attempt.at + wait
  return changed({ ...job, attempts, nextDeliveryAt, revision: job.revision + 1 })
}
