import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'

/** How many requests one unit of the limiter covers: it is asked once per unit, so the other requests cost nothing. */
export const REQUESTS_A_UNIT = 100
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
 * applies to the requests after it.
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
   * Charges the caller for what a request turned out to cost, in requests. This alone refuses nothing: following
   * requests ask the limiter for what is owed, one unit at a time.
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
      // A limiter that fails limits nobody.
      account.left = REQUESTS_A_UNIT
      account.grantedAt = new Moment(this.#now())
      this.#onError(error)
    } finally {
      // A late answer may arrive after the limiter was asked again.
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
