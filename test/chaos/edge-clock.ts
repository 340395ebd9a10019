import { FaultError } from './fault-error.ts'
import type { LedgerJob } from './ledger.ts'
import type { Stage } from './stage.ts'

/** How far the edge's clock may be off, in ms: it need not tick exactly with ours. */
const TOLERANCE = 2_000

/** The clock of the Worker and its objects, as the run moves it. A runtime starts with the machine's. */
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
    const since = Date.now()
    const shown = await this.#stage.order({ do: 'move clock', by })
    this.offset += by
    if (!this.hasShown(shown, since))
      throw new FaultError(`The clock was moved by ${by} ms, and shows ${shown}`)
  }

  /** Called before the runtime ends: the next one's clock is not moved. */
  noteRestart(): void {
    if (this.offset > 0) this.#noteSetBack()
    this.offset = 0
  }

  /** Whether it may have shown `time` at some moment since `since`. Both are in ms since the epoch, the latter by our clock. */
  hasShown(time: number, since: number): boolean {
    const ours = time - this.offset
    return ours > since - TOLERANCE && ours < Date.now() + TOLERANCE
  }

  /** Called before it happens: otherwise a job might take the revision before it is allowed for. */
  #noteSetBack(): void {
    this.setBacks++
    for (const job of this.#jobs) job.clockSetBacks++
  }
}
