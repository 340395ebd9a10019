import type { Clock } from './options.ts'

interface Waiter {
  isReached: () => boolean
  resolve: () => void
  reject: (reason: unknown) => void
}

interface WaitOptions {
  giveUpAfterMs: number
  signal?: AbortSignal | undefined
  /** What to reject with after `giveUpAfterMs`. */
  onTimeout: () => Error
}

/** Callers who wait until their reports have arrived. */
export class Waiters {
  readonly #waiters = new Set<Waiter>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get areSome(): boolean {
    return this.#waiters.size > 0
  }

  /** Resolves once `isReached`, which `check` asks. Rejects after `giveUpAfterMs`, when the signal is aborted, or by `rejectAll`. */
  async wait(isReached: () => boolean, { giveUpAfterMs, signal, onTimeout }: WaitOptions): Promise<void> {
    signal?.throwIfAborted()
    if (isReached()) return
    const settled = new AbortController()
    let waiter: Waiter | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { isReached, resolve, reject }
        this.#waiters.add(waiter)
        signal?.addEventListener('abort', () => reject(signal.reason), { signal: settled.signal })
        this.#until(this.#clock.elapsed() + giveUpAfterMs, settled.signal).then(() => reject(onTimeout()))
      })
    } finally {
      if (waiter !== undefined) this.#waiters.delete(waiter)
      settled.abort()
    }
  }

  /** Timers may fire early, and a test's clock may shorten waits. Never resolves once `settled` is aborted. */
  async #until(time: number, settled: AbortSignal): Promise<void> {
    for (let left = time - this.#clock.elapsed(); left > 0; left = time - this.#clock.elapsed()) {
      await this.#clock.wait(left, settled)
      if (settled.aborted) return await new Promise<never>(() => {})
    }
  }

  check(): void {
    for (const { isReached, resolve } of this.#waiters) if (isReached()) resolve()
  }

  /** Whoever has reached what they wait for is not rejected: the last reply may bring both that and the reason. */
  rejectAll(reason: unknown): void {
    this.check()
    for (const { reject } of this.#waiters) reject(reason)
  }
}
