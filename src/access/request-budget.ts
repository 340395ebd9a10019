import { MAX_MISS_DEBT, MAX_MISSES, MISS_WEIGHT, MISS_WINDOW, REQUESTS_A_UNIT } from '../jobs/limits.ts'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'

/** How long a grant may be used, in ms. */
const GRANTED_FOR_MS = 60_000
/** How long a caller over the limit is refused before the limiter is asked again, in ms. */
export const REFUSED_FOR_MS = 10_000
/** How long to wait for an answer before asking again, in ms. It never comes if the request that asked is canceled. */
const TIMEOUT_MS = 2_000

/** Cloudflare's rate limiter; undefined if none is bound. */
export type Limiter = { limit(of: { key: string }): Promise<{ success: boolean }> } | undefined

interface Account {
  /** Requests left. Below zero, they are owed: made while waiting for the limiter, or charged afterwards. */
  left: number
  /** Requests charged for misses that the limiter has not granted yet. */
  charged: number
  /** Misses in the current window. */
  misses: number
  missesSince?: Moment
  grantedAt?: Moment
  refusedAt?: Moment
  /** Set while waiting for an answer. */
  askedAt?: Moment | undefined
}

interface Options {
  /** The time in ms since the epoch. */
  now: () => number
  onError: (error: unknown) => void
}

/**
 * How many requests each caller may make. The limiter is asked in the background and never delays a request: its answer
 * applies to the requests after it. A slow limiter cannot keep up with misses that come all at once, so these are also
 * bounded here: by what a caller may owe for them, and by number.
 */
export class RequestBudget {
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #accounts = new Map<string, Account>()

  constructor({ now, onError }: Options) {
    this.#now = now
    this.#onError = onError
  }

  /** Takes one request from the caller's budget; false if the budget is spent. Never throws. */
  spend(limiter: Limiter, callerId: string, keepAlive: (work: Promise<unknown>) => void): boolean {
    const now = this.#now()
    const account = this.#accountOf(callerId)
    if (account.misses >= MAX_MISSES && account.missesSince?.isWithin(MISS_WINDOW, now)) return false
    if (limiter === undefined) return true
    if (account.refusedAt?.isWithin(REFUSED_FOR_MS, now)) return false
    if (!account.grantedAt?.isWithin(GRANTED_FOR_MS, now)) account.left = Math.min(account.left, 0)
    if (account.left <= 0 && !account.askedAt?.isWithin(TIMEOUT_MS, now)) {
      // The last question was never answered: a limiter that fails limits nobody.
      if (account.askedAt !== undefined) account.charged = 0
      keepAlive(this.#ask(limiter, callerId, account))
    }
    // Requests may be owed without end: a caller without misses is never refused for a slow limiter.
    if (Math.min(account.charged, -account.left) > MAX_MISS_DEBT) return false
    account.left -= 1
    return true
  }

  /** Charges the caller for a request that was a miss. The request itself was taken from its budget when it came in. */
  chargeMiss(limiter: Limiter, callerId: string): void {
    const now = this.#now()
    const account = this.#accountOf(callerId)
    if (!account.missesSince?.isWithin(MISS_WINDOW, now)) {
      account.missesSince = new Moment(now)
      account.misses = 0
    }
    account.misses += 1
    if (limiter === undefined) return
    account.left -= MISS_WEIGHT - 1
    account.charged += MISS_WEIGHT - 1
  }

  /** Asks the limiter for one unit after the other until nothing is owed, or it refuses. */
  async #ask(limiter: NonNullable<Limiter>, callerId: string, account: Account): Promise<void> {
    let askedAt: Moment
    do {
      askedAt = new Moment(this.#now())
      account.askedAt = askedAt
      try {
        const { success } = await limiter.limit({ key: callerId })
        this.#settle(account, success ? 'granted' : 'refused')
      } catch (error) {
        this.#settle(account, 'failed')
        this.#onError(error)
      }
      // A late answer may arrive after the limiter was asked again: the last one to ask goes on.
    } while (account.left < 0 && account.askedAt === askedAt)
    if (account.askedAt === askedAt) account.askedAt = undefined
  }

  #settle(account: Account, answer: 'granted' | 'refused' | 'failed'): void {
    const now = new Moment(this.#now())
    if (answer === 'refused') account.refusedAt = now
    else account.grantedAt = now
    if (answer === 'granted') {
      account.left += REQUESTS_A_UNIT
      account.charged = Math.max(0, account.charged - REQUESTS_A_UNIT)
      return
    }
    // A refusal takes the place of what is owed. A limiter that fails limits nobody.
    account.left = answer === 'refused' ? 0 : REQUESTS_A_UNIT
    account.charged = 0
  }

  #accountOf(callerId: string): Account {
    const known = this.#accounts.get(callerId)
    if (known !== undefined) return known
    const account: Account = { left: 0, charged: 0, misses: 0 }
    remember(this.#accounts, callerId, account)
    return account
  }
}
