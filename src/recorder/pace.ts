/** The least time from one batch to the next, in ms, unless a status waits and D1 is well: at most ten a second. */
export const MIN_BATCH_INTERVAL = 100
/** Jobs that one recorder records per second, at most: below that a job follows within a second, above it less often. */
const JOBS_PER_SECOND = 100
/** Bounds of the time between two records of one job, in ms. */
export const MIN_INTERVAL = 1_000
export const MAX_INTERVAL = 30_000
/** Jobs are counted in windows of this many ms: a live job comes at least once in each. */
const WINDOW = MAX_INTERVAL
/** Jobs counted apart in a window. From 3,000 on the interval is as long as it gets. */
const MAX_COUNTED = 3_000

/**
 * How often each job is to be recorded, so that the load on D1 stays level however many jobs are live: what grows is the
 * time that D1 is behind, up to `MAX_INTERVAL`. Times are ms since the epoch.
 */
export class Pace {
  #windowStart = 0
  #live = new Set<string>()
  #liveBefore = 0

  /** Notes that a job was recorded. Returns the time until its next record, in ms. */
  next(job: string, now: number): number {
    if (now < this.#windowStart || now >= this.#windowStart + WINDOW) {
      this.#liveBefore = now < this.#windowStart + 2 * WINDOW ? this.#live.size : 0
      this.#live = new Set()
      this.#windowStart = now
    }
    if (this.#live.size < MAX_COUNTED) this.#live.add(job)
    const live = Math.max(this.#live.size, this.#liveBefore)
    return Math.min(MAX_INTERVAL, Math.max(MIN_INTERVAL, (live / JOBS_PER_SECOND) * 1_000))
  }
}
