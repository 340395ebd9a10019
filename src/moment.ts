/**
 * When something happened. It answers only whether that was recent, so no comparison can forget that the clock may be
 * set back: a moment in the future is not recent, because its age is unknown.
 */
export class Moment {
  readonly #at: number

  /** @param at in ms since the epoch */
  constructor(at: number) {
    this.#at = at
  }

  /** Whether it is less than `ms` before `now`, and not after. */
  isWithin(ms: number, now: number): boolean {
    const age = now - this.#at
    return age >= 0 && age < ms
  }
}
