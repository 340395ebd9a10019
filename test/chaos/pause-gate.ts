import { until } from './until.ts'

/** How long a step may take: the client gives up after a minute. */
const LONGEST_STEP_MS = 90_000

/** Gives a fault exclusive access to a job: the workers finish their current step, retries included, and then wait. */
export class PauseGate {
  #stepsUnderWay = 0
  #end: Promise<void> | undefined

  /** Runs a worker's step once the gate is open. */
  async pass(step: () => Promise<void>): Promise<void> {
    while (this.#end !== undefined) await this.#end
    this.#stepsUnderWay++
    try {
      await step()
    } finally {
      this.#stepsUnderWay--
    }
  }

  /** Closes the gate, waits for the current steps, runs `fault`, and reopens the gate. */
  async whileClosed<Result>(fault: () => Promise<Result>): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#end = promise
    try {
      await until('the workers have paused', LONGEST_STEP_MS, () => this.#stepsUnderWay === 0)
      return await fault()
    } finally {
      this.#end = undefined
      resolve()
    }
  }
}
