import type { Figures, Load } from './load.ts'

/** The most that a lead-in takes, in ms. */
const MOST_LEAD_IN_MS = 10_000
/** Where replies are slow, a measurement goes on for as many times as long. */
const MOST_TIMES = 5

/**
 * Decides which replies of a load count. The measurement begins once the lead-in is over and each path was requested, which wakes
 * sleeping objects. It ends after its time, or later: once there are two replies for each connection.
 */
export class Measurement {
  readonly #load: Load
  readonly #begunAt = performance.now()
  readonly #times: number[] = []
  #replies = 0
  #replyBytes = 0
  #from: number | undefined
  #end: number | undefined

  constructor(load: Load) {
    this.#load = load
  }

  get isOver(): boolean {
    return this.#end !== undefined
  }

  /** Takes the reply to a request sent at `start`. Times are in ms. */
  take(start: number, now: number, bytes: number): void {
    const { leadIn, seconds, paths, connections } = this.#load
    this.#replies++
    this.#replyBytes += bytes
    if (this.#from === undefined) {
      const isWarm = now >= this.#begunAt + leadIn * 1_000 && this.#replies >= paths.length
      if (isWarm || now >= this.#begunAt + MOST_LEAD_IN_MS) this.#from = now
    } else if (!this.isOver) {
      this.#times.push(now - start)
      const lasted = (now - this.#from) / 1_000
      const isEnough = this.#times.length >= 2 * connections
      if ((lasted >= seconds && isEnough) || lasted >= seconds * MOST_TIMES) this.#end = now
    }
  }

  figures(): Figures {
    const times = this.#times.toSorted((a, b) => a - b)
    const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? Number.NaN
    return {
      perSecond: (times.length / ((this.#end ?? Number.NaN) - (this.#from ?? Number.NaN))) * 1_000,
      p50: at(0.5),
      p99: at(0.99),
      replies: this.#replies,
      replyBytes: this.#replyBytes,
    }
  }
}
