import { awaitsFinalReport } from '../jobs/final-report.ts'
import { knownHistory } from '../jobs/history.ts'
import { isFinished, type Job, type JobKey } from '../jobs/job.ts'
import { logJobError } from '../log.ts'
import { Moment } from '../moment.ts'
import { findRecent, findStored, type Recorded } from '../store/find-job.ts'
import { isTimeout, type Store } from '../store/store.ts'
import { within } from '../within.ts'
import { adoptJob } from './adopt-job.ts'
import { ArchivedJob } from './archived-job.ts'
import type { HeldJob } from './held-job.ts'
import type { Home } from './home.ts'
import type { Journal } from './journal.ts'
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
  readonly #home: Home
  #held: HeldJob | undefined
  #loading: Promise<void> | undefined
  #foundMissing: Moment | undefined
  #mayExist = false

  constructor(journal: Journal, home: Home) {
    this.#journal = journal
    this.#home = home
    const journaled = journal.load()
    if (journaled !== undefined) this.#held = new LiveJob(journal, journaled)
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

  /** Forgets that the job was missing: it was looked for in another database. */
  forgetMissing(): void {
    this.#foundMissing = undefined
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
    const state = { key, job, recorded: UNRECORDED, history: knownHistory(job) }
    this.#journal.saveJob(state)
    this.#held = new LiveJob(this.#journal, { ...state, recent: { errors: [], warnings: [] } })
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

  /** Loads the job from D1. A job with duties left is adopted into the journal; a finished one is served from D1. */
  async #load(key: JobKey): Promise<void> {
    this.#mayExist = true
    const found = await this.#findStored(key)
    const { store } = this.#home
    if (found === undefined) {
      this.#foundMissing = new Moment(Date.now())
      return
    }
    if (isOver(found)) {
      const recent = await findRecent(store, key, found)
      this.#held ??= new ArchivedJob(this.#home, key, found, recent)
      return
    }
    const adopted = await adoptJob(this.#journal, store, key, found)
    if (adopted === undefined || this.#held !== undefined) return
    this.#held = new LiveJob(this.#journal, adopted)
  }

  /** The job in D1: in the database where its organization has gone, if it has. */
  async #findStored(key: JobKey): Promise<Job | undefined> {
    const find = (store: Store) =>
      findStored(store, key).catch((error) => {
        this.#mayExist = isTimeout(error)
        throw error
      })
    const { job, departure } = await find(this.#home.store)
    if (departure === undefined || departure.version <= this.#home.placement.version) return job
    if (departure.isWhole) {
      this.#home.learn(departure)
      return await this.#findStored(key)
    }
    // The organization is on its way. A job that is over is the same in both databases; one that is not may be further
    // in the other, or be missing from it: adopting it now could undo what was acknowledged.
    if (job !== undefined && isOver(job)) return job
    const { job: there } = await find(this.#home.open(departure))
    if (job === undefined && there === undefined) return undefined
    if (there === undefined || !isOver(there)) throw new Error('the organization is on its way')
    this.#home.learn(departure)
    return there
  }

  #isKnownMissing(): boolean {
    return this.#foundMissing?.isWithin(MISSING_FOR_MS, Date.now()) ?? false
  }
}

/** Whether the job has no duties left, so that D1 alone can serve it. */
function isOver(job: Job): boolean {
  return isFinished(job.status) && job.nextDeliveryAt === null && !awaitsFinalReport(job, Date.now())
}
