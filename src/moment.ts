/**
 * When something was learned or done. All it tells is whether that was recent, so that nobody comparing times can forget
 * a clock that was set back: a moment in the future is not recent, since nobody knows how old it is.
 */
export class Moment {
  readonly #at: number

  /** @param at in ms since the epoch */
  constructor(at: number) {
    this.#at = at
  }

  /** Whether it lies less than `ms` before `now`, and not after it. */
  isWithin(ms: number, now: number): boolean {
    const age = now - this.#at
    return age >= 0 && age < ms
  }
}
