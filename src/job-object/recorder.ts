import { jobFields, logError, logJobError } from '../log.ts'
import type { Recorded } from '../store/find-job.ts'
import { recordJob } from '../store/record-job.ts'
import { within } from '../within.ts'
import type { Home } from './home.ts'
import type { JobHolder } from './job-holder.ts'
import type { LiveJob } from './live-job.ts'

/** Bounds of the time between two writes of one job to D1, in ms. */
const MIN_INTERVAL = 1_000
const MAX_INTERVAL = 30_000
/** The interval is this many times the duration of the last write: every job backs off when D1 is slow. */
const INTERVAL_FACTOR = 10

/**
 * Records the job in D1, one coalesced write at a time, less often the slower D1 is. It lives only in memory; the
 * object's alarm takes over after a crash or an eviction.
 */
export class Recorder {
  readonly #home: Home
  readonly #holder: JobHolder
  #pass: Promise<boolean> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #interval = MIN_INTERVAL

  /** Records the live job that `holder` holds, if it holds one. */
  constructor(home: Home, holder: JobHolder) {
    this.#home = home
    this.#holder = holder
  }

  /** Schedules a write: in about a second while D1 is fast. */
  soon(): void {
    if (this.#timer !== undefined || this.#pass !== undefined || !this.#holder.live?.isBehind) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.now()
    }, this.#interval)
  }

  /** Writes what D1 lacks, or joins the write under way. False if D1 did not take it; never throws. */
  now(): Promise<boolean> {
    this.#pass ??= this.#writeAll().finally(() => {
      this.#pass = undefined
      this.soon()
    })
    return this.#pass
  }

  /** Writes until `reached()`, but waits at most `timeout` ms. A failed write ends the wait; a late one goes on. */
  async until(reached: () => boolean, timeout: number): Promise<void> {
    const deadline = Date.now() + timeout
    // A write already under way may not include what the caller waits for; the next one does.
    while (!reached() && (await within(deadline - Date.now(), this.now(), false))) {}
  }

  async #writeAll(): Promise<boolean> {
    const startedAt = Date.now()
    try {
      let isUnfinished = this.#holder.live?.isBehind ?? false
      let conflicts = 0
      while (isUnfinished) {
        const { live } = this.#holder
        if (live === undefined) break
        const record = live.nextRecord()
        const { database } = this.#home.placement
        const recording = await recordJob(this.#home.store, record)
        // A call has brought a newer placement meanwhile: the other database still lacks all of it.
        if (this.#home.placement.database !== database) {
          isUnfinished = true
          continue
        }
        if (recording.landed) live.markRecorded(record)
        else if ('moved' in recording) {
          if (!this.#home.learn(recording.moved)) throw new Error('the organization has left its database')
          if (this.#holder.live === live) live.markMoved()
        } else if (++conflicts > 1) throw new Error('D1 keeps having a newer record')
        else await this.#settle(live, recording.stored)
        isUnfinished = record.unfinished || !recording.landed
      }
      this.#interval = clamp((Date.now() - startedAt) * INTERVAL_FACTOR)
      return true
    } catch (error) {
      this.#interval = clamp(this.#interval * 2)
      const { live } = this.#holder
      if (live !== undefined) logJobError('job_not_recorded', live.key, error)
      return false
    }
  }

  /**
   * D1 has a state of this job that this object never wrote. The journal wins, because it is what was acknowledged,
   * unless there is nothing in it but the creation. The log names both states.
   */
  async #settle(live: LiveJob, stored: Recorded): Promise<void> {
    const { epoch, revision } = live.job
    const isYielding = await this.#holder.yieldTo(stored)
    logError(
      'record_conflict',
      {
        ...jobFields(live.key),
        kept: isYielding ? 'stored' : 'own',
        epoch,
        revision,
        stored_epoch: stored.epoch,
        stored_revision: stored.revision,
      },
      new Error('D1 has a state of this job that its object never wrote'),
    )
    if (!isYielding) live.supersede(stored.epoch)
  }
}

function clamp(interval: number): number {
  return Math.min(MAX_INTERVAL, Math.max(MIN_INTERVAL, interval))
}
