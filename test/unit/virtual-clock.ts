import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../clients/typescript/src/options.ts'

/** A clock that moves only when told to: hours pass in no time. Its random number is always 0. */
export class VirtualClock implements Clock {
  #time = Date.parse('2026-01-01T00:00:00Z')
  readonly #timers = new Set<{ at: number; end: () => void }>()
  /** Every wait that was asked for, in ms. */
  readonly waits: number[] = []

  now = () => this.#time
  elapsed = () => this.#time
  random = () => 0

  wait = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      this.waits.push(ms)
      const end = () => {
        this.#timers.delete(timer)
        resolve()
      }
      const timer = { at: this.#time + ms, end }
      this.#timers.add(timer)
      signal?.addEventListener('abort', end)
    })

  /** How many waits are not over. */
  get timers(): number {
    return this.#timers.size
  }

  /** Lets time pass. Everything that is due in it happens, in order. */
  async pass(ms: number): Promise<void> {
    const end = this.#time + ms
    await settle()
    for (let next = this.#next(); next !== undefined && next.at <= end; next = this.#next()) {
      this.#time = Math.max(this.#time, next.at)
      next.end()
      await settle()
    }
    this.#time = end
  }

  /** Lets time pass until the promise is settled, and returns what it resolves to. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const mark = () => {
      isSettled = true
    }
    promise.then(mark, mark)
    for (await settle(); !isSettled; await settle()) {
      const next = this.#next()
      if (next === undefined) throw new Error('Nothing is left to wait for, and the promise is not settled')
      this.#time = Math.max(this.#time, next.at)
      next.end()
    }
    return await promise
  }

  #next() {
    return [...this.#timers].sort((a, b) => a.at - b.at)[0]
  }
}

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate()
}
