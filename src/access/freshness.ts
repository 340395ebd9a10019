import type { Moment } from '../moment.ts'

/** How long a caller waits for a look-up, in ms. */
export const TIMEOUT_MS = 2_000
/** From this age, what is in use is looked up again in the background. */
const REFRESH_AFTER_MS = 40_000
/** From this age, the caller waits for the look-up. A change takes effect within this time. */
const VALID_FOR_MS = 60_000
/** How long something is relied on after it was last found, while look-ups fail. */
const ACCEPTED_UNCHECKED_MS = 15 * 60_000
/** How soon a failed look-up is retried for what is relied on meanwhile. */
const RETRY_AFTER_MS = 5_000

/** When something was looked up. */
export interface LookedUp {
  foundAt: Moment
  /** When a look-up last got no answer. */
  unansweredAt?: Moment
}

/** Whether it is due for another look-up. During an outage, one is made every few seconds. */
export function isDue({ foundAt, unansweredAt }: LookedUp, now: number): boolean {
  if (foundAt.isWithin(REFRESH_AFTER_MS, now)) return false
  return !(foundAt.isWithin(ACCEPTED_UNCHECKED_MS, now) && unansweredAt?.isWithin(RETRY_AFTER_MS, now))
}

/**
 * Whether it is relied on without waiting for a look-up. After one look-up without an answer it is: otherwise every
 * request during an outage would wait the full 2 s.
 */
export function isUsable({ foundAt, unansweredAt }: LookedUp, now: number): boolean {
  if (foundAt.isWithin(VALID_FOR_MS, now)) return true
  return foundAt.isWithin(ACCEPTED_UNCHECKED_MS, now) && unansweredAt?.isWithin(VALID_FOR_MS, now) === true
}

/** Whether it is relied on when a look-up got no answer. */
export function isUsableUnchecked({ foundAt }: LookedUp, now: number): boolean {
  return foundAt.isWithin(ACCEPTED_UNCHECKED_MS, now)
}
