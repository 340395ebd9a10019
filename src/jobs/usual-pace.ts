/** A job that was completed. */
export interface Run {
  /** When it was created, in ms since the epoch. */
  createdAt: number
  /** From its start to its end, in ms. */
  duration: number
  /** Items handled, failed ones included. */
  items: number
}

/** The middle one of some values, and the one that nine in ten do not exceed. Null if there are none. */
interface Spread {
  median: number | null
  p90: number | null
}

/** How long the newest jobs of a type took, in seconds, and how many items a second they handled. */
interface UsualPace {
  /** How many jobs this is of. Only those that handled items and took time have a rate. */
  jobs: number
  duration: Spread
  rate: Spread
}

/** The usual pace of the newest `most` of some runs. */
export function usualPace(runs: Run[], most: number): UsualPace {
  const newest = runs.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, most)
  const timed = newest.filter(({ duration, items }) => duration > 0 && items > 0)
  return {
    jobs: newest.length,
    duration: spreadOf(newest.map(({ duration }) => duration / 1_000)),
    rate: spreadOf(timed.map(({ duration, items }) => (items / duration) * 1_000)),
  }
}

function spreadOf(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  // By nearest rank, so each is a value that occurred.
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
  return { median: at(0.5), p90: at(0.9) }
}
