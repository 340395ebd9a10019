import { jobFields, logError, logJobError } from '../log.ts'
import { recordJob } from '../store/record-job.ts'
import type { Store } from '../store/store.ts'
import { within } from '../within.ts'
import type { LiveJob } from './live-job.ts'

/** The shortest time between two writes of one job to D1, and the longest that a slow D1 stretches it to, in ms. */
const SHORTEST_INTERVAL = 1_000
const LONGEST_INTERVAL = 30_000
/** The interval is this many times what the last write took: a slow D1 gets less to do, by all jobs together. */
const SLOWNESS = 10

/**
 * Brings D1 level with the journal: one write at a time, coalesced, further apart the slower D1 answers. It lives in
 * memory only; the object's alarm is the safety net under it.
 */
export class Recorder {
  readonly #store: Store
  readonly #live: () => LiveJob | undefined
  #pass: Promise<boolean> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #interval = SHORTEST_INTERVAL

  /** `live` is the job to record, if there is one at the time. */
  constructor(store: Store, live: () => LiveJob | undefined) {
    this.#store = store
    this.#live = live
  }

  /** Has D1 brought level soon: within about a second while it answers quickly. */
  soon(): void {
    if (this.#timer !== undefined || this.#pass !== undefined || !this.#live()?.isBehind) return
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
    const deadline = Date.now() + patience
    // A pass that was under way already may lack what is waited for: then the next one brings it.
    while (!reached() && (await within(deadline - Date.now(), this.now(), false))) {}
  }

  async #writeAll(): Promise<boolean> {
    const startedAt = Date.now()
    try {
      let isUnfinished = this.#live()?.isBehind ?? false
      let conflicts = 0
      while (isUnfinished) {
        const live = this.#live()
        if (live === undefined) break
        const record = live.nextRecord()
        const recording = await recordJob(this.#store, record)
        if (recording.landed) live.markRecorded(record)
        else if (++conflicts > 1) throw new Error('D1 has a newer record again and again')
        else overrule(live, recording.stored)
        isUnfinished = record.unfinished || !recording.landed
      }
      this.#interval = clamp((Date.now() - startedAt) * SLOWNESS)
      return true
    } catch (error) {
      this.#interval = clamp(this.#interval * 2)
      const live = this.#live()
      if (live !== undefined) logJobError('job_not_recorded', live.key, error)
      return false
    }
  }
}

/**
 * D1 has a state of this job that this object never wrote. What this object acknowledged is in its journal, and counts:
 * it is put above the other, which is named in the log.
 */
function overrule(live: LiveJob, stored: { epoch: number; revision: number; status: string }): void {
  const { epoch, revision } = live.job
  logError(
    'record_conflict',
    { ...jobFields(live.key), epoch, revision, stored_epoch: stored.epoch, stored_revision: stored.revision },
    new Error('D1 has a state of this job that its object never wrote'),
  )
  live.supersede(stored.epoch)
}

function clamp(interval: number): number {
  return Math.min(LONGEST_INTERVAL, Math.max(SHORTEST_INTERVAL, interval))
}
