import { describeUnsent } from './describe-unsent.ts'
import { UnreachableError } from './errors.ts'
import type { Clock } from './options.ts'
import type { PendingReports } from './pending-reports.ts'

/** How long the API has been out of reach, and why. */
export class Outage {
  readonly #clock: Clock
  readonly #pending: PendingReports
  readonly #tellAfterMs: number
  readonly #onProblem: (problem: Error) => void
  #since: number | undefined
  #reason = 'there is no reply yet'

  /** `onProblem` is called each time it has lasted for `tellAfterMs`: a worker that reports all the time never gets to giving up. */
  constructor(
    clock: Clock,
    pending: PendingReports,
    tellAfterMs: number,
    onProblem: (problem: Error) => void,
  ) {
    this.#clock = clock
    this.#pending = pending
    this.#tellAfterMs = tellAfterMs
    this.#onProblem = onProblem
  }

  /** Of the newest failure. */
  get reason(): string {
    return this.#reason
  }

  noteFailure(reason: string): void {
    const now = this.#clock.elapsed()
    this.#reason = reason
    this.#since ??= now
    if (now - this.#since < this.#tellAfterMs) return
    const seconds = Math.round((now - this.#since) / 1_000)
    this.#since = now
    this.#onProblem(this.describe(`The API has been out of reach for ${seconds} s: ${reason}`))
  }

  /** There was an answer, or nothing more is tried for now. */
  end(): void {
    this.#since = undefined
  }

  /** An error that says what has not been sent. */
  describe(message: string, cause?: unknown): UnreachableError {
    const unsent = this.#pending.unsent()
    const what = describeUnsent(unsent)
    return new UnreachableError(message + (what && `. Not sent yet: ${what}`), { cause, unsent })
  }
}
