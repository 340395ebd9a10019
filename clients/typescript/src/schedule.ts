import type { Clock } from './options.ts'
import type { Pace } from './pace.ts'

interface Circumstances {
  /** It is a repetition, or someone waits for it: the pace does not apply. */
  isAwaited: boolean
  /** It has a place before its turn. */
  isUrgent: boolean
}

/** When the next report may be sent, and how long it is worth trying. */
export class Schedule {
  readonly #clock: Clock
  readonly #pace: Pace
  #tryUntil = 0
  /** No attempt before this time: the API has asked for it, or the last attempts failed. */
  #notBefore = 0
  #nudge: AbortController | undefined

  constructor(clock: Clock, pace: Pace) {
    this.#clock = clock
    this.#pace = pace
  }

  /** On the clock, when to give up. */
  get tryUntil(): number {
    return this.#tryUntil
  }

  /** Goes on trying for at least so many milliseconds. */
  extend(ms: number): void {
    this.#tryUntil = Math.max(this.#tryUntil, this.#clock.elapsed() + ms)
  }

  postpone(ms: number): void {
    this.#notBefore = this.#clock.elapsed() + ms
  }

  /** Whether the next attempt would start too late. */
  get isPaused(): boolean {
    return this.#notBefore > this.#tryUntil
  }

  /** Milliseconds until the next report may be sent; 0 or less if it may now. */
  dueIn({ isAwaited, isUrgent }: Circumstances): number {
    const left = this.#notBefore - this.#clock.elapsed()
    return Math.max(left, isAwaited ? 0 : this.#pace.dueIn(isUrgent))
  }

  noteStart(): void {
    this.#pace.noteStart()
  }

  async wait(ms: number): Promise<void> {
    this.#nudge = new AbortController()
    await this.#clock.wait(ms, this.#nudge.signal)
    this.#nudge = undefined
  }

  /** Ends the wait: its reason may be gone. */
  nudge(): void {
    this.#nudge?.abort()
  }
}
