import type { Clock } from './options.ts'

/** How many urgent reports may go without a pause, before even they are held to the rate. */
const BURST = 10

/** When the next report may go: one right away, then at most so many a second. An urgent one need not wait for its turn. */
export class Pace {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #starts: number[] = []

  constructor(clock: Clock, reportsPerSecond: number) {
    this.#clock = clock
    this.#intervalMs = 1_000 / reportsPerSecond
  }

  /** Milliseconds until a report may go; 0 or less if it may now. */
  dueIn(isUrgent: boolean): number {
    const [newest, oldest] = [this.#starts.at(-1), this.#starts[0]]
    const now = this.#clock.elapsed()
    if (newest === undefined || oldest === undefined) return 0
    if (!isUrgent) return newest + this.#intervalMs - now
    return this.#starts.length < BURST ? 0 : oldest + BURST * this.#intervalMs - now
  }

  noteStart(): void {
    this.#starts.push(this.#clock.elapsed())
    if (this.#starts.length > BURST) this.#starts.shift()
  }
}
