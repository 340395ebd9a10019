import { until } from './until.ts'

/** How long a step may take, in ms: a worker gives up after a minute. */
const LONGEST_STEP = 90_000

/** Gives a fault a job to itself: its workers finish what they have under way, retries included, and wait. */
export class Standstill {
  #stepsUnderWay = 0
  #end: Promise<void> | undefined

  /** Takes a step of a worker, once no fault is in its way. */
  async step(take: () => Promise<void>): Promise<void> {
    while (this.#end !== undefined) await this.#end
    this.#stepsUnderWay++
    try {
      await take()
    } finally {
      this.#stepsUnderWay--
    }
  }

  /** Runs `fault` while no worker takes a step. */
  async during<Result>(fault: () => Promise<Result>): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#end = promise
    try {
      await until('the workers stand still', LONGEST_STEP, () => this.#stepsUnderWay === 0)
      return await fault()
    } finally {
      this.#end = undefined
      resolve()
    }
  }
}
