/** Counters that a job takes. */
const MAX_COUNTERS = 50

/**
 * The names of a job's counters. The API refuses the counters of a report as a whole when they have too many names, and merged
 * with others, the one name that is too many would take all the others with it.
 */
export class CounterNames {
  readonly #names = new Set<string>()

  /** Notes names that the job has. */
  note(names: string[]): void {
    for (const name of names) this.#names.add(name)
  }

  /** Deletes the counters for which the job has no room, and returns their names. */
  cut(counters: Record<string, number>): string[] {
    const cut: string[] = []
    for (const name of Object.keys(counters)) {
      if (this.#names.has(name) || this.#names.size < MAX_COUNTERS) this.#names.add(name)
      else {
        delete counters[name]
        cut.push(name)
      }
    }
    return cut
  }
}
