import type { EntryGroup } from '../jobs/entry-page.ts'

/** Types that are told apart, at most: a worker that makes up a new one for each entry has no groups to show. */
const MAX_GROUPS = 100

/**
 * How many entries there are of each error type. It counts what came since it was last asked, so that asking again and
 * again costs no more than what is new.
 */
export class EntryGroups {
  readonly #counts = new Map<string, number>()
  #counted = 0

  /** `kept` entries are there by now; `countAfter` counts those behind a place. */
  read(kept: number, countAfter: (place: number) => EntryGroup[]): EntryGroup[] {
    if (kept <= this.#counted) return mostFrequent(this.#groups())
    for (const { errorType, count } of countAfter(this.#counted)) {
      this.#counts.set(errorType, (this.#counts.get(errorType) ?? 0) + count)
    }
    this.#counted = kept
    return mostFrequent(this.#groups())
  }

  #groups(): EntryGroup[] {
    return [...this.#counts].map(([errorType, count]) => ({ errorType, count }))
  }
}

/** The most frequent types; of those that are as frequent, by their names, wherever they were counted. */
export function mostFrequent(groups: EntryGroup[]): EntryGroup[] {
  return groups
    .toSorted((a, b) => b.count - a.count || (a.errorType < b.errorType ? -1 : 1))
    .slice(0, MAX_GROUPS)
}
