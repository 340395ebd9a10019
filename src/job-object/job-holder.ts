import { isFinished, type Job, type JobKey } from '../jobs/job.ts'
import { logJobError } from '../log.ts'
import { Moment } from '../moment.ts'
import { findJob, findRecent, type Recorded } from '../store/find-job.ts'
import { isTimeout, type Store } from '../store/store.ts'
import { within } from '../within.ts'
import { adoptJob } from './adopt-job.ts'
import { ArchivedJob } from './archived-job.ts'
import type { HeldJob } from './held-job.ts'
import type { Journal, Journaled } from './journal.ts'
import { LiveJob } from './live-job.ts'
import { UNRECORDED } from './upgrade-journal.ts'

/** How long a call waits for D1 to return a job, in ms. */
const TIMEOUT_MS = 10_000
/** How long the object remembers that the job does not exist, in ms. */
const MISSING_FOR_MS = 5_000

/** `uncertain`: D1 has the job, or has not said yet whether it does. `unavailable`: D1 is down. */
type Found = { ok: true; held: HeldJob } | { ok: false; reason: 'not_found' | 'uncertain' | 'unavailable' }

/** Holds an object's job in memory, and gets it there: from the journal, from D1, or newly created. */
export class JobHolder {
  readonly #journal: Journal
  readonly #store: Store
  readonly #onChange: (live: LiveJob) => void
  #held: HeldJob | undefined
  #loading: Promise<void> | undefined
  #foundMissing: Moment | undefined
  #mayExist = false

  /** `onChange` is called with each new state of a live job, once it is journaled. */
  constructor(journal: Journal, store: Store, onChange: (live: LiveJob) => void) {
    this.#journal = journal
    this.#store = store
    this.#onChange = onChange
    const journaled = journal.load()
    if (journaled !== undefined) this.#held = this.#live(journaled)
  }

  get held(): HeldJob | undefined {
    return this.#held
  }

  get live(): LiveJob | undefined {
    return this.#held instanceof LiveJob ? this.#held : undefined
  }

  /** The job. If the journal is empty, it is loaded from D1, which may take up to `TIMEOUT_MS`. Never throws. */
  async find(key: JobKey): Promise<Found> {
    if (this.#held === undefined && this.#isKnownMissing()) return { ok: false, reason: 'not_found' }
    return await this.findNow(key, TIMEOUT_MS)
  }

  /** Like `find`, but asks D1 even if the job was missing a moment ago, and waits up to `timeout` ms. */
  async findNow(key: JobKey, timeout: number): Promise<Found> {
    if (this.#held === undefined) {
      this.#loading ??= this.#load(key).finally(() => {
        this.#loading = undefined
      })
      try {
        const isLoaded = await within(
          timeout,
          this.#loading.then(() => true),
          false,
        )
        if (!isLoaded) return { ok: false, reason: 'uncertain' }
      } catch (error) {
        logJobError('job_not_loaded', key, error)
        return { ok: false, reason: this.#mayExist ? 'uncertain' : 'unavailable' }
      }
    }
    return this.#held === undefined ? { ok: false, reason: 'not_found' } : { ok: true, held: this.#held }
  }

  /** Journals and holds a new job. Throws if the journal does not take it, or if the job may exist already. */
  holdNew(key: JobKey, job: Job): void {
    if (this.#held !== undefined || this.#loading !== undefined)
      throw new Error(`job ${key.jobId} may exist already`)
    this.#journal.saveJob(key, job, UNRECORDED)
    const state = { key, job, recent: { errors: [], warnings: [] }, recorded: UNRECORDED }
    this.#held = this.#live(state)
    this.#onChange(this.#held as LiveJob)
  }

  /** Holds a job whose journal has been emptied. */
  holdArchived(archived: ArchivedJob): void {
    this.live?.close()
    this.#held = archived
  }

  /**
   * Gives up a job that was created while D1 was down, if D1 turns out to have it from before: the next call loads that
   * one. False if the job in D1 is another state of this one, or if this one has been reported on: then it has to stay.
   */
  async yieldTo(stored: Recorded): Promise<boolean> {
    const { live } = this
    if (live === undefined || live.job.createdAt === stored.createdAt || live.job.revision > 1) return false
    live.close()
    this.#held = undefined
    await this.#journal.empty()
    return true
  }

  #live(state: Journaled): LiveJob {
    const live: LiveJob = new LiveJob(this.#journal, state, () => this.#onChange(live))
    return live
  }

  /** Loads the job from D1. A job with duties left is adopted into the journal; a finished one is served from D1. */
  async #load(key: JobKey): Promise<void> {
    this.#mayExist = true
    const found = await findJob(this.#store, key).catch((error) => {
      this.#mayExist = isTimeout(error)
      throw error
    })
    if (found === undefined) {
      this.#foundMissing = new Moment(Date.now())
      return
    }
    if (isFinished(found.status) && found.nextDeliveryAt === null) {
      const recent = await findRecent(this.#store, key, found)
      this.#held ??= new ArchivedJob(this.#store, key, found, recent)
      return
    }
    const adopted = await adoptJob(this.#journal, this.#store, key, found)
    if (adopted === undefined || this.#held !== undefined) return
    const live = this.#live(adopted)
    this.#held = live
    this.#onChange(live)
  }

  #isKnownMissing(): boolean {
    return this.#foundMissing?.isWithin(MISSING_FOR_MS, Date.now()) ?? false
  }
}
