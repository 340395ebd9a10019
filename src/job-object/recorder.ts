import { timeout } from './timeout.ts'

/** The shortest time between two writes of one job to D1, and the longest that a slow D1 stretches it to, in ms. */
const SHORTEST_INTERVAL = 1_000
const LONGEST_INTERVAL = 30_000
/** The interval is this many times what the last write took: from all jobs together, a slow D1 so gets less to do. */
const SLOWNESS = 10
/** A write that D1 has not answered by now, in ms, is given up. Should it land late, the fence makes that harmless. */
const WRITE_TIMEOUT = 20_000
/** A job that D1 keeps refusing is logged once in this many ms. */
const LOG_INTERVAL = 60_000

/** What the recorder works on; `Batch` is one write's worth. */
export interface RecordSource<Batch extends { unfinished: boolean }> {
  /** Whether D1 lacks anything. Asked after each report, so it has to be cheap. */
  isBehind(): boolean
  /** What D1 lacks, at most one write of it. Asked only while it is behind. */
  lacking(): Batch
  /** Sends it to D1. Throws where D1 does. */
  write(batch: Batch): Promise<void>
  /** Notes that D1 has it. */
  written(batch: Batch): void
  /** Says that D1 did not take it. Called once a minute at most. */
  refused(error: unknown): void
}

/**
 * Brings D1 level with the journal: one write at a time, coalesced, further apart the slower D1 answers. It lives in
 * memory only; the object's alarm is the safety net under it.
 */
export class Recorder<Batch extends { unfinished: boolean }> {
  readonly #source: RecordSource<Batch>
  #pass: Promise<boolean> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #interval = SHORTEST_INTERVAL
  #saidAt = Number.NEGATIVE_INFINITY

  constructor(source: RecordSource<Batch>) {
    this.#source = source
  }

  /** Has D1 brought level soon: within about a second while it answers quickly. */
  soon(): void {
    if (this.#timer !== undefined || this.#pass !== undefined || !this.#source.isBehind()) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.now()
    }, this.#interval)
  }

  /** Writes what D1 lacks at this moment, or joins the write under way. False where D1 did not take it; never throws. */
  now(): Promise<boolean> {
    this.#pass ??= this.#writeAll().finally(() => {
      this.#pass = undefined
      this.soon()
    })
    return this.#pass
  }

  /** Waits until `reached()`, `patience` ms at most. An unwilling D1 ends the waiting, not the work. */
  async until(reached: () => boolean, patience: number): Promise<void> {
    const deadline = timeout(patience)
    // A pass that was under way already may lack what is waited for: then the next one brings it.
    while (!reached() && (await Promise.race([this.now(), deadline.over]))) {}
    deadline.cancel()
  }

  async #writeAll(): Promise<boolean> {
    const startedAt = Date.now()
    try {
      let unfinished = this.#source.isBehind()
      while (unfinished) {
        const batch = this.#source.lacking()
        await this.#write(batch)
        this.#source.written(batch)
        unfinished = batch.unfinished
      }
      this.#interval = clamp((Date.now() - startedAt) * SLOWNESS)
      return true
    } catch (error) {
      this.#interval = clamp(this.#interval * 2)
      if (startedAt - this.#saidAt >= LOG_INTERVAL) {
        this.#saidAt = startedAt
        this.#source.refused(error)
      }
      return false
    }
  }

  async #write(batch: Batch): Promise<void> {
    const deadline = timeout(WRITE_TIMEOUT)
    const write = this.#source.write(batch).then(() => true)
    const landed = await Promise.race([write, deadline.over]).finally(deadline.cancel)
    if (!landed) {
      write.catch(() => {}) // Its late failure is the timeout that is reported here.
      throw new Error(`D1 did not answer within ${WRITE_TIMEOUT} ms`)
    }
  }
}

function clamp(interval: number): number {
  return Math.min(LONGEST_INTERVAL, Math.max(SHORTEST_INTERVAL, interval))
}
