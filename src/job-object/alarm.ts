/** The object's only alarm. It remembers its time, since each `setAlarm` writes a row. Times are ms since the epoch. */
export class Alarm {
  readonly #storage: DurableObjectStorage
  #at = 0

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** Reads its time from storage. Called once, when the object loads. */
  async restore(): Promise<void> {
    this.#at = (await this.#storage.getAlarm()) ?? 0
  }

  /** Notes that it fired and is no longer set. */
  markFired(): void {
    this.#at = 0
  }

  /** Makes sure that it fires by the first of these times, but no sooner than `delay` ms from now. */
  setForFirst(times: (number | null | undefined)[], now: number, delay = 0): void {
    const first = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY))
    if (Number.isFinite(first)) this.#setBy(Math.max(first, now + delay), now)
  }

  #setBy(at: number, now: number): void {
    if (this.#at > now && this.#at <= at) return
    this.#at = Math.max(at, now)
    // Not awaited: it joins the commit of the writes before it, which the reply waits for.
    void this.#storage.setAlarm(this.#at)
  }
}
