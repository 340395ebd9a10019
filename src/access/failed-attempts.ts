import ipaddr from 'ipaddr.js'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'
import { type Limiter, REFUSED_FOR_MS } from './request-budget.ts'

interface Options {
  /** The time in milliseconds since the epoch. */
  now: () => number
  onTrouble: (error: unknown) => void
}

/**
 * Who has failed to authenticate too often, by IP address. While an address is barred, none of its credentials is looked
 * up: guessing then costs neither D1 nor Stytch anything.
 */
export class FailedAttempts {
  readonly #now: () => number
  readonly #onTrouble: (error: unknown) => void
  readonly #barredAt = new Map<string, Moment>()

  constructor({ now, onTrouble }: Options) {
    this.#now = now
    this.#onTrouble = onTrouble
  }

  isBarred(address: string | undefined): boolean {
    if (address === undefined) return false
    return this.#barredAt.get(toSource(address))?.isWithin(REFUSED_FOR_MS, this.#now()) === true
  }

  /** Counts a failure; false where it is one too many. Never throws. An address that is not known is not limited. */
  async count(limiter: Limiter, address: string | undefined): Promise<boolean> {
    if (limiter === undefined || address === undefined) return true
    const source = toSource(address)
    try {
      const { success } = await limiter.limit({ key: source })
      if (!success) remember(this.#barredAt, source, new Moment(this.#now()))
      return success
    } catch (error) {
      this.#onTrouble(error)
      return true
    }
  }
}

/** What an address counts as: of IPv6 its /64, as one subscriber has at least so many of them. */
function toSource(address: string): string {
  try {
    const parsed = ipaddr.parse(address)
    if (parsed.kind() === 'ipv4') return address
    return `${parsed.toByteArray().slice(0, 8).join('.')}/64`
  } catch {
    return address
  }
}
