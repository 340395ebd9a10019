import { Moment } from './moment.ts'
import { remember } from './remember.ts'

/** How long an event is held back after it was last let through, in ms. */
const INTERVAL_MS = 60_000
/** Beyond these, the event let through longest ago is forgotten, and its count with it. */
const MOST_EVENTS = 64
const MOST_SUBJECTS = 1_000

/** What has happened since the event was last let through, this time included. */
interface Count {
  times: number
  /** How many it happened to, up to 1,000. */
  subjects: number
}

interface Account {
  letThroughAt: Moment
  times: number
  subjects: Set<string>
}

/** Lets each event through at once, and then once a minute with a count of those held back meanwhile. */
export class Throttle {
  readonly #accounts = new Map<string, Account>()

  /**
   * Counts an event that happened to a subject at `now`, in ms since the epoch.
   *
   * @returns the tally to let through; undefined if this one is held back, to be counted in the next
   */
  count(event: string, subject: string, now: number): Count | undefined {
    const account = this.#accounts.get(event)
    const subjects = account?.subjects ?? new Set<string>()
    if (subjects.size < MOST_SUBJECTS) subjects.add(subject)
    const times = (account?.times ?? 0) + 1
    if (account?.letThroughAt.isWithin(INTERVAL_MS, now)) {
      account.times = times
      return undefined
    }
    const fresh = { letThroughAt: new Moment(now), times: 0, subjects: new Set<string>() }
    remember(this.#accounts, event, fresh, MOST_EVENTS)
    return { times, subjects: subjects.size }
  }
}
