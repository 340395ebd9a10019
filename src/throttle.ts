import { Moment } from './moment.ts'
import { remember } from './remember.ts'

/** How long an event is suppressed after it last passed, in ms. */
const INTERVAL_MS = 60_000
/** Beyond this number, the event that passed longest ago is forgotten, along with its count. */
const MAX_EVENTS = 64
const MAX_SUBJECTS = 1_000

/** What happened since the event last passed, including this time. */
interface Count {
  times: number
  /** How many different subjects it happened to, up to 1,000. */
  subjects: number
}

interface Account {
  passedAt: Moment
  times: number
  subjects: Set<string>
}

/** Lets an event pass at once, then once a minute with a count of those suppressed in between. */
export class Throttle {
  readonly #accounts = new Map<string, Account>()

  /**
   * Counts an event that happened to a subject at `now`, in ms since the epoch.
   *
   * @returns the count if the event passes; undefined if it is suppressed and will be part of a later count
   */
  count(event: string, subject: string, now: number): Count | undefined {
    const account = this.#accounts.get(event)
    const subjects = account?.subjects ?? new Set<string>()
    if (subjects.size < MAX_SUBJECTS) subjects.add(subject)
    const times = (account?.times ?? 0) + 1
    if (account?.passedAt.isWithin(INTERVAL_MS, now)) {
      account.times = times
      return undefined
    }
    const fresh = { passedAt: new Moment(now), times: 0, subjects: new Set<string>() }
    remember(this.#accounts, event, fresh, MAX_EVENTS)
    return { times, subjects: subjects.size }
  }
}
