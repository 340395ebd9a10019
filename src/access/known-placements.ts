import type { Placement } from '../jobs/placement.ts'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'
import { within } from '../within.ts'
import { isDue, isUsable, isUsableUnchecked, type LookedUp, TIMEOUT_MS } from './freshness.ts'

interface KnownPlacement extends LookedUp {
  placement: Placement
  /** The serial of the look-up that found it. */
  serial: number
}

/** How a placement is looked up on behalf of one request. */
interface Asking {
  lookUp: (organizationId: string) => Promise<Placement>
  /** Called with work that must outlive the request, because other requests may wait for it. */
  keepAlive: (work: Promise<unknown>) => void
}

/**
 * Remembers within one isolate where the organizations of sessions live, as `KnownKeys` does for keys: about one look-up
 * a minute for each organization in use, and none that succeeds is needed for 15 minutes while look-ups fail.
 */
export class KnownPlacements {
  readonly #now: () => number
  readonly #known = new Map<string, KnownPlacement>()
  #serial = 0
  readonly #lookUps = new Map<string, { askedAt: Moment; found: Promise<Placement> }>()

  /** `now` is the time in ms since the epoch. */
  constructor({ now }: { now: () => number }) {
    this.#now = now
  }

  /** Where it lives; undefined if that cannot be said. Never throws, and waits at most 2 s for a look-up. */
  async find(organizationId: string, asking: Asking): Promise<Placement | undefined> {
    const now = this.#now()
    const known = this.#known.get(organizationId)
    if (known !== undefined && !isDue(known, now)) return known.placement
    const answer = this.#ask(organizationId, asking, now)
    asking.keepAlive(answer)
    if (known !== undefined && isUsable(known, now)) return known.placement
    return await answer
  }

  async #ask(organizationId: string, asking: Asking, now: number): Promise<Placement | undefined> {
    const found = this.#joinLookUp(organizationId, asking, now).catch(() => undefined)
    const answer = await within(TIMEOUT_MS, found, undefined)
    if (answer !== undefined) return answer
    const known = this.#known.get(organizationId)
    if (known === undefined || !isUsableUnchecked(known, this.#now())) return undefined
    known.unansweredAt = new Moment(this.#now())
    return known.placement
  }

  /** The look-up already under way, or a new one: a look-up whose request was canceled never settles. */
  #joinLookUp(organizationId: string, { lookUp }: Asking, now: number): Promise<Placement> {
    const underWay = this.#lookUps.get(organizationId)
    if (underWay?.askedAt.isWithin(TIMEOUT_MS, now)) return underWay.found
    const askedAt = new Moment(now)
    this.#serial += 1
    const serial = this.#serial
    const found = lookUp(organizationId).then((placement) => {
      // A late answer must not replace the answer to a later question.
      if ((this.#known.get(organizationId)?.serial ?? 0) < serial)
        remember(this.#known, organizationId, { placement, serial, foundAt: askedAt })
      return placement
    })
    const started = { askedAt, found }
    remember(this.#lookUps, organizationId, started)
    const end = () => {
      if (this.#lookUps.get(organizationId) === started) this.#lookUps.delete(organizationId)
    }
    found.then(end, end)
    return found
  }
}
