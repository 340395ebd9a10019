const BUCKET = 10
const MAX = 300_000

/** Times from a change to D1, in ms, counted in steps of 10 ms up to five minutes. */
export class Lags {
  readonly #buckets = new Float64Array(MAX / BUCKET + 1)
  #count = 0
  #max = 0

  add(lag: number, times = 1): void {
    const bucket = Math.min(Math.floor(lag / BUCKET), MAX / BUCKET)
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + times
    this.#count += times
    this.#max = Math.max(this.#max, lag)
  }

  get max(): number {
    return this.#max
  }

  get count(): number {
    return this.#count
  }

  /** What this share of them does not exceed: 0.99 for the 99th percentile. */
  quantile(share: number): number {
    let sum = 0
    const bucket = this.#buckets.findIndex((count) => {
      sum += count
      return sum >= share * this.#count
    })
    return Math.min((bucket + 1) * BUCKET, this.#max)
  }
}
