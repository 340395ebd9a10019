import type { Clock } from './options.ts'

/** A signal that is aborted when nothing has come for too long, or with `outer`. */
export class Silence {
  readonly signal: AbortSignal
  readonly #clock: Clock
  readonly #tooLong = new AbortController()
  #until = 0
  #watching: AbortController | undefined

  constructor(clock: Clock, outer: AbortSignal | undefined) {
    this.#clock = clock
    this.signal = outer ? AbortSignal.any([this.#tooLong.signal, outer]) : this.#tooLong.signal
  }

  /** From now on, something has to come within `ms`. */
  limitTo(ms: number): void {
    this.#until = this.#clock.elapsed() + ms
    if (this.#watching === undefined) void this.#watch()
  }

  /** From now on, nothing has to come. */
  allow(): void {
    this.#watching?.abort()
    this.#watching = undefined
  }

  async #watch(): Promise<void> {
    const watching = new AbortController()
    this.#watching = watching
    while (!watching.signal.aborted) {
      const left = this.#until - this.#clock.elapsed()
      if (left <= 0) return this.#tooLong.abort(new Error('nothing came in time'))
      await this.#clock.wait(left, watching.signal)
    }
  }
}
