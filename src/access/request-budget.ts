import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'

/** How many requests one unit of the limiter stands for: it is asked once for so many, so the others cost nothing. */
export const REQUESTS_A_UNIT = 100
/** How long a grant may be used, in ms. */
const GRANTED_FOR_MS = 60_000
/** How long a caller over the limit is refused before the limiter is asked again, in ms. */
export const REFUSED_FOR_MS = 10_000
/** How long an answer is awaited, in ms. It may never come: if its request is canceled, so is the question. */
const TIMEOUT_MS = 2_000

/** Cloudflare's rate limiter; undefined if none is bound. */
export type Limiter = { limit(of: { key: string }): Promise<{ success: boolean }> } | undefined

interface Account {
  /** Requests left. Below zero, they are owed: made while the limiter was being asked, or charged afterwards. */
  left: number
  grantedAt?: Moment
  refusedAt?: Moment
  /** Set while an answer is awaited. */
  askedAt?: Moment | undefined
}

interface Options {
  /** The time in milliseconds since the epoch. */
  now: () => number
  onError: (error: unknown) => void
}

/**
 * How many requests each caller may make. The limiter is asked alongside requests and never holds one up: its answer
 * counts for those that come after it.
 */
export class RequestBudget {
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #accounts = new Map<string, Account>()

  constructor({ now, onError }: Options) {
    this.#now = now
    this.#onError = onError
  }

  /** Takes one request off the caller's budget; false if that is spent. Never throws. */
  spend(limiter: Limiter, callerId: string, keepAlive: (work: Promise<unknown>) => void): boolean {
    if (limiter === undefined) return true
    const now = this.#now()
    const account = this.#accountOf(callerId)
    if (account.refusedAt?.isWithin(REFUSED_FOR_MS, now)) return false
    if (!account.grantedAt?.isWithin(GRANTED_FOR_MS, now)) account.left = Math.min(account.left, 0)
    if (account.left <= 0 && !account.askedAt?.isWithin(TIMEOUT_MS, now))
      keepAlive(this.#ask(limiter, callerId, account, new Moment(now)))
    account.left -= 1
    return true
  }

  /**
   * Charges the caller for what a request turned out to cost, in requests. That alone refuses nothing: what is owed is
   * asked for alongside the requests that follow, one unit at a time.
   */
  charge(limiter: Limiter, callerId: string, requests: number): void {
    if (limiter !== undefined) this.#accountOf(callerId).left -= requests
  }

  async #ask(
    limiter: NonNullable<Limiter>,
    callerId: string,
    account: Account,
    askedAt: Moment,
  ): Promise<void> {
    account.askedAt = askedAt
    try {
      const { success } = await limiter.limit({ key: callerId })
      const answeredAt = new Moment(this.#now())
      if (success) {
        account.left += REQUESTS_A_UNIT
        account.grantedAt = answeredAt
      } else {
        account.left = 0
        account.refusedAt = answeredAt
      }
    } catch (error) {
      // A limiter that is out of order limits nobody.
      account.left = REQUESTS_A_UNIT
      account.grantedAt = new Moment(this.#now())
      this.#onError(error)
    } finally {
      // An answer that was given up on may come after a later question was asked.
      if (account.askedAt === askedAt) account.askedAt = undefined
    }
  }

  #accountOf(callerId: string): Account {
    const known = this.#accounts.get(callerId)
    if (known !== undefined) return known
    const account: Account = { left: 0 }
    remember(this.#accounts, callerId, account)
    return account
  }
}
