import { excessOf, type Usage, type UsageExcess, type UsageLimits, withAnotherJob } from '../jobs/usage.ts'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'
import { within } from '../within.ts'

/** How long a create waits for a look-up, in ms. */
const TIMEOUT_MS = 1_000
/** How long a usage is remembered that leaves room for another job, or that could not be looked up. */
const REMEMBERED_FOR_MS = 10_000
/** How long a usage is remembered that leaves none: less, because a job may finish at any time. */
const FULL_FOR_MS = 1_000

interface Known {
  /** Undefined if the look-up failed. */
  usage: Usage | undefined
  foundAt: Moment
}

interface LookUp {
  askedAt: Moment
  found: Promise<Known>
}

interface Options {
  /** The time in ms since the epoch. */
  now: () => number
}

/** How a usage is looked up on behalf of one request. */
interface Asking {
  lookUp: () => Promise<Usage>
  /** Called with work that must outlive the request, because other requests may wait for it. */
  keepAlive: (work: Promise<unknown>) => void
}

/**
 * Remembers within one isolate what organizations use, so that creates cost one look-up in 10 s. Jobs created here
 * meanwhile are added. Other isolates may create more: for up to 10 s, the limits are approximate.
 */
export class KnownUsage {
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  readonly #lookUps = new Map<string, LookUp>()

  constructor({ now }: Options) {
    this.#now = now
  }

  /**
   * Lets the organization create another job and counts it, or says why it may not. Never throws, and waits at most 1 s:
   * while the look-up fails, every create passes.
   */
  async admit(organizationId: string, limits: UsageLimits, asking: Asking): Promise<UsageExcess | undefined> {
    const known = this.#recall(organizationId, limits) ?? (await this.#ask(organizationId, asking))
    if (known?.usage === undefined) return undefined
    const excess = excessOf(known.usage, limits)
    if (excess === undefined) known.usage = withAnotherJob(known.usage)
    return excess
  }

  #recall(organizationId: string, limits: UsageLimits): Known | undefined {
    const known = this.#known.get(organizationId)
    if (known === undefined) return undefined
    const isFull = known.usage !== undefined && excessOf(known.usage, limits) !== undefined
    return known.foundAt.isWithin(isFull ? FULL_FOR_MS : REMEMBERED_FOR_MS, this.#now()) ? known : undefined
  }

  /** Joins the look-up under way, or starts one. Undefined if it does not answer in time. */
  async #ask(organizationId: string, { lookUp, keepAlive }: Asking): Promise<Known | undefined> {
    const now = this.#now()
    const underWay = this.#lookUps.get(organizationId)
    // An older one may never settle: the request that started it may have been canceled.
    const joined = underWay?.askedAt.isWithin(TIMEOUT_MS, now) ? underWay.found : undefined
    const found = joined ?? this.#lookUp(organizationId, lookUp, new Moment(now))
    if (joined === undefined) keepAlive(found)
    const known = await within(TIMEOUT_MS, found, undefined)
    // Creates during an outage would otherwise all wait.
    if (known === undefined) this.#remember(organizationId, undefined, new Moment(this.#now()))
    return known
  }

  #lookUp(organizationId: string, lookUp: () => Promise<Usage>, askedAt: Moment): Promise<Known> {
    const found = lookUp()
      .catch(() => undefined)
      .then((usage) => {
        if (this.#lookUps.get(organizationId)?.askedAt === askedAt) this.#lookUps.delete(organizationId)
        // Dated from the question: jobs may have been created before the answer arrived.
        return this.#remember(organizationId, usage, askedAt)
      })
    remember(this.#lookUps, organizationId, { askedAt, found })
    return found
  }

  #remember(organizationId: string, usage: Usage | undefined, foundAt: Moment): Known {
    const known = { usage, foundAt }
    remember(this.#known, organizationId, known)
    return known
  }
}
