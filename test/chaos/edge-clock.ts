import { FaultError } from './fault-error.ts'
import type { LedgerJob } from './ledger.ts'
import type { Stage } from './stage.ts'

/** How far the edge's clock may be off where it should be, in ms: an order takes its time. */
const TOLERANCE = 10_000

/** The clock of the Worker and its objects, as the run moves it. A runtime that starts has the machine's. */
export class EdgeClock {
  readonly #stage: Stage
  readonly #jobs: LedgerJob[]
  /** How far it is ahead of the machine's, in ms. */
  offset = 0
  /** How often it was set back. */
  setBacks = 0

  constructor(stage: Stage, jobs: LedgerJob[]) {
    this.#stage = stage
    this.#jobs = jobs
  }

  /** Moves it by so many ms, backwards if negative. */
  async move(by: number): Promise<void> {
    if (by < 0) this.#noteSetBack()
    const shown = await this.#stage.order({ do: 'move clock', by })
    this.offset += by
    if (!this.isNear(shown)) throw new FaultError(`The clock was moved by ${by} ms, and shows ${shown}`)
  }

  /** The runtime is about to end: the next one's clock is not moved. */
  noteRestart(): void {
    if (this.offset > 0) this.#noteSetBack()
    this.offset = 0
  }

  /** Whether a time, in ms since the epoch, may be what it shows now. */
  isNear(time: number): boolean {
    return Math.abs(time - this.offset - Date.now()) < TOLERANCE
  }

  /** Noted before it happens: no job is to take a revision for it that is not allowed for. */
  #noteSetBack(): void {
    this.setBacks++
    for (const job of this.#jobs) job.clockSetBacks++
  }
}
