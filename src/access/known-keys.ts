import type { Placement } from '../jobs/placement.ts'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'
import { within } from '../within.ts'
import type { KeyCaller } from './caller.ts'
import { isDue, isUsable, isUsableUnchecked, type LookedUp, TIMEOUT_MS } from './freshness.ts'

/** How long a key found to be unknown, expired or revoked is refused without another look-up. */
const REFUSED_FOR_MS = 10_000

/** A key in the store. Times are in ms since the epoch. */
export interface StoredKey {
  keyId: string
  organizationIds: string[]
  /** By organization; those without a placement are left out. */
  placements: Record<string, Placement>
  permissions: string[]
  expiresAt: number | null
  revokedAt: number | null
}

type KeyCheck =
  | { ok: true; caller: KeyCaller }
  /** `unavailable`: the look-up failed, and the key was not found valid recently. */
  | { ok: false; reason: 'unknown' | 'expired' | 'revoked' | 'unavailable' }

interface ValidKey extends LookedUp {
  caller: KeyCaller
  /** The serial of the look-up that found it. */
  serial: number
}

interface RefusedKey {
  reason: 'unknown' | 'expired' | 'revoked'
  serial: number
  foundAt: Moment
}

interface LookUp {
  /** A number and not a time: after the clock is set back, the latest look-up would seem the earliest. */
  serial: number
  askedAt: Moment
  found: Promise<KeyCheck>
}

interface Options {
  /** The time in ms since the epoch. */
  now: () => number
}

/** How a key is looked up on behalf of one request. */
interface Asking {
  lookUp: (keyHash: string) => Promise<StoredKey | undefined>
  /** Called with work that must outlive the request, because other requests may wait for it. */
  keepAlive: (work: Promise<unknown>) => void
}

/**
 * Remembers server API keys within one isolate. A key then costs about one look-up a minute, and keeps working while
 * look-ups fail. Expiry is exact; a revocation takes effect within 60 s unless look-ups fail.
 *
 * Valid and refused keys are remembered separately: a flood of made-up keys evicts only made-up keys.
 */
export class KnownKeys {
  readonly #now: () => number
  readonly #valid = new Map<string, ValidKey>()
  readonly #refused = new Map<string, RefusedKey>()
  readonly #lookUps = new Map<string, LookUp>()
  #serial = 0

  constructor({ now }: Options) {
    this.#now = now
  }

  /** What is remembered of the key with this hash; undefined if that is nothing, or too old. */
  recall(keyHash: string): KeyCheck | undefined {
    const now = this.#now()
    const known = this.#valid.get(keyHash)
    if (known !== undefined && isUsable(known, now)) return unlessExpired(known.caller, now)
    return this.#recallRefusal(keyHash, now)
  }

  /** Whether the key with this hash was valid when last looked up. Looking it up again does not help anyone guess. */
  wasValid(keyHash: string): boolean {
    return this.#valid.has(keyHash)
  }

  /** Whether the key with this hash is valid now. Never throws, and waits at most 2 s for a look-up. */
  async check(keyHash: string, asking: Asking): Promise<KeyCheck> {
    const now = this.#now()
    const known = this.#valid.get(keyHash)
    if (known !== undefined && !isDue(known, now)) return unlessExpired(known.caller, now)
    const refusal = this.#recallRefusal(keyHash, now)
    if (refusal !== undefined) return refusal

    const answer = this.#ask(keyHash, asking, now)
    asking.keepAlive(answer)
    if (known !== undefined && isUsable(known, now)) return unlessExpired(known.caller, now)
    return await answer
  }

  #recallRefusal(keyHash: string, now: number): KeyCheck | undefined {
    const refused = this.#refused.get(keyHash)
    if (!refused?.foundAt.isWithin(REFUSED_FOR_MS, now)) return undefined
    return { ok: false, reason: refused.reason }
  }

  async #ask(keyHash: string, asking: Asking, now: number): Promise<KeyCheck> {
    // Each caller has its own timer: a look-up belongs to one request and never settles if that request is canceled.
    const found = this.#joinLookUp(keyHash, asking, now).catch(() => undefined)
    return (await within(TIMEOUT_MS, found, undefined)) ?? this.#withoutAnswer(keyHash)
  }

  /** The look-up already under way for this key, or a new one. */
  #joinLookUp(keyHash: string, asking: Asking, now: number): Promise<KeyCheck> {
    for (const [hash, { askedAt }] of this.#lookUps) {
      if (askedAt.isWithin(TIMEOUT_MS, now)) break
      this.#lookUps.delete(hash)
    }
    const underWay = this.#lookUps.get(keyHash)
    if (underWay !== undefined) return underWay.found
    this.#serial += 1
    const question = { serial: this.#serial, askedAt: new Moment(now) }
    const lookUp = { ...question, found: this.#lookUpAndRemember(keyHash, asking, question) }
    remember(this.#lookUps, keyHash, lookUp)
    const end = () => {
      if (this.#lookUps.get(keyHash) === lookUp) this.#lookUps.delete(keyHash)
    }
    lookUp.found.then(end, end)
    return lookUp.found
  }

  async #lookUpAndRemember(
    keyHash: string,
    asking: Asking,
    { serial, askedAt }: Pick<LookUp, 'serial' | 'askedAt'>,
  ): Promise<KeyCheck> {
    const check = judge(await asking.lookUp(keyHash), this.#now())
    // A late answer must not replace the answer to a later question.
    const latest = this.#valid.get(keyHash) ?? this.#refused.get(keyHash)
    if (latest !== undefined && latest.serial > serial) return check
    this.#valid.delete(keyHash)
    this.#refused.delete(keyHash)
    // Dated from the question: the key may have been revoked before the answer arrived.
    if (check.ok) remember(this.#valid, keyHash, { caller: check.caller, serial, foundAt: askedAt })
    else if (check.reason !== 'unavailable')
      remember(this.#refused, keyHash, { reason: check.reason, serial, foundAt: askedAt })
    return check
  }

  #withoutAnswer(keyHash: string): KeyCheck {
    const now = this.#now()
    const known = this.#valid.get(keyHash)
    if (known === undefined || !isUsableUnchecked(known, now)) return { ok: false, reason: 'unavailable' }
    known.unansweredAt = new Moment(now)
    return unlessExpired(known.caller, now)
  }
}

function judge(stored: StoredKey | undefined, now: number): KeyCheck {
  if (stored === undefined) return { ok: false, reason: 'unknown' }
  if (stored.revokedAt !== null) return { ok: false, reason: 'revoked' }
  const { keyId, organizationIds, placements, permissions, expiresAt } = stored
  const credited = { id: keyId, organizationIds, placements, permissions, expiresAt }
  return unlessExpired({ kind: 'key', ...credited }, now)
}

function unlessExpired(caller: KeyCaller, now: number): KeyCheck {
  if (caller.expiresAt !== null && now >= caller.expiresAt) return { ok: false, reason: 'expired' }
  return { ok: true, caller }
}
