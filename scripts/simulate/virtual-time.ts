/** Runs what is scheduled in the order of its time, without waiting. Times are whole ms, like those of `Date.now()`. */
export class VirtualTime {
  now: number
  readonly #scheduled = new Map<number, (() => void)[]>()

  constructor(start: number) {
    this.now = start
  }

  /** Runs it in the ms in which `at` has come, or in this one if it has passed. */
  at(at: number, run: () => void): void {
    const ms = Math.max(Math.ceil(at), this.now)
    const same = this.#scheduled.get(ms)
    if (same === undefined) this.#scheduled.set(ms, [run])
    else same.push(run)
  }

  runUntil(end: number): void {
    for (; this.now <= end; this.now++) {
      // What runs may add to it.
      for (const run of this.#scheduled.get(this.now) ?? []) run()
      this.#scheduled.delete(this.now)
    }
    this.now = end
  }
}
