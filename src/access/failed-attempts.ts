import ipaddr from 'ipaddr.js'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'
import { type Limiter, REFUSED_FOR_MS } from './request-budget.ts'

interface Options {
  /** The time in ms since the epoch. */
  now: () => number
  onError: (error: unknown) => void
}

/**
 * The IP addresses that failed to authenticate too often. While an address is barred, no new credential from it is
 * looked up, so guessing costs neither D1 nor Stytch anything.
 */
export class FailedAttempts {
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #barredAt = new Map<string, Moment>()

  constructor({ now, onError }: Options) {
    this.#now = now
    this.#onError = onError
  }

  isBarred(address: string | undefined): boolean {
    if (address === undefined) return false
    return this.#barredAt.get(toSource(address))?.isWithin(REFUSED_FOR_MS, this.#now()) === true
  }

  /** Counts a failure; false if the address is over its limit. Never throws. Without an address there is no limit. */
  async count(limiter: Limiter, address: string | undefined): Promise<boolean> {
    if (limiter === undefined || address === undefined) return true
    const source = toSource(address)
    try {
      const { success } = await limiter.limit({ key: source })
      if (!success) remember(this.#barredAt, source, new Moment(this.#now()))
      return success
    } catch (error) {
      this.#onError(error)
      return true
    }
  }
}

/** What an address counts as. For IPv6 this is its /64, the smallest block that a subscriber gets. */
function toSource(address: string): string {
  try {
    const parsed = ipaddr.parse(address)
    if (parsed.kind() === 'ipv4') return address
    return `${parsed.toByteArray().slice(0, 8).join('.')}/64`
  } catch {
    return address
  }
}
