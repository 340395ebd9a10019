/** The one alarm of an object. It remembers what it is set for, since setting it costs a row. Times are ms since the epoch. */
export class Alarm {
  readonly #storage: DurableObjectStorage
  #at = 0

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** Looks what it is set for, once an object is loaded. */
  async restore(): Promise<void> {
    this.#at = (await this.#storage.getAlarm()) ?? 0
  }

  /** It has gone off, and is set no more. */
  markFired(): void {
    this.#at = 0
  }

  /** Sets it for `at`, unless it comes in time already. */
  setBy(at: number, now: number): void {
    if (this.#at > now && this.#at <= at) return
    this.#at = Math.max(at, now)
    // Not awaited: it is part of the same commit as the writes before it, and the reply waits for that.
    void this.#storage.setAlarm(this.#at)
  }
}
