import { FaultError } from './fault-error.ts'
import type { LedgerJob } from './ledger.ts'
import type { Stage } from './stage.ts'

/** How far the edge's clock may deviate, in ms: it need not tick exactly with ours. */
const TOLERANCE = 2_000

/** The clock of the Worker and its objects, which the run can move. A new runtime starts with the machine's clock. */
export class EdgeClock {
  readonly #stage: Stage
  readonly #jobs: LedgerJob[]
  /** How far it is ahead of the machine's clock, in ms. */
  offset = 0
  /** How many times it was set back. */
  setBacks = 0

  constructor(stage: Stage, jobs: LedgerJob[]) {
    this.#stage = stage
    this.#jobs = jobs
  }

  /** Moves the clock by `by` ms, backwards if negative. Throws a FaultError if the edge does not show it. */
  async move(by: number): Promise<void> {
    if (by < 0) this.#noteSetBack()
    const since = Date.now()
    const shown = await this.#stage.command({ do: 'move clock', by })
    this.offset += by
    if (!this.hasShown(shown, since))
      throw new FaultError(`The clock was moved by ${by} ms but shows ${shown}`)
  }

  /** Call this before the runtime ends: the next one starts with the machine's clock. */
  noteRestart(): void {
    if (this.offset > 0) this.#noteSetBack()
    this.offset = 0
  }

  /** Whether the clock may have shown `time` since `since`. Both are in ms since the epoch, `since` by the machine's clock. */
  hasShown(time: number, since: number): boolean {
    const ours = time - this.offset
    return ours > since - TOLERANCE && ours < Date.now() + TOLERANCE
  }

  /** Call this before the setback: a job might otherwise take the extra revision before the ledger allows it. */
  #noteSetBack(): void {
    this.setBacks++
    for (const job of this.#jobs) job.clockSetBacks++
  }
}
