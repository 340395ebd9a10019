/**
 * When something was learned or done. It can only be asked whether that was lately, so that no caller can forget what a
 * clock that is set back does to a comparison: what lies ahead of now is not lately, since nobody knows how old it is.
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
