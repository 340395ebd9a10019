import { isFinished, type Job, type JobKey } from '../jobs/job.ts'
import { logJobError } from '../log.ts'
import { Moment } from '../moment.ts'
import { findJob, findRecent } from '../store/find-job.ts'
import type { Store } from '../store/store.ts'
import { within } from '../within.ts'
import { adoptJob } from './adopt-job.ts'
import { ArchivedJob } from './archived-job.ts'
import type { HeldJob } from './held-job.ts'
import { type Journal, type Journaled, UNRECORDED } from './journal.ts'
import { LiveJob } from './live-job.ts'

/** How long a call waits for a job that only D1 has, in ms. */
const TIMEOUT_MS = 10_000
/** How long it is remembered that there is no such job, in ms. */
const MISSING_FOR_MS = 5_000

type Found = { ok: true; held: HeldJob } | { ok: false; reason: 'not_found' | 'unavailable' }

/** The job that an object holds in memory, and how it gets there: from its journal, from D1, or newly created. */
export class JobHolder {
  readonly #journal: Journal
  readonly #store: Store
  readonly #onChange: (live: LiveJob) => void
  #held: HeldJob | undefined
  #loading: Promise<void> | undefined
  #foundMissing: Moment | undefined

  /** `onChange` is told of each new state of a live job, once it is journaled. */
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

  /** Whether D1 is being asked for the job: it may still name one at any moment. */
  get isLoading(): boolean {
    return this.#loading !== undefined
  }

  /** The job; where the journal is empty, as D1 has it, for which this waits `patience` ms at most. Never throws. */
  async find(key: JobKey, patience = TIMEOUT_MS): Promise<Found> {
    if (this.#held === undefined && !this.#isKnownMissing()) {
      this.#loading ??= this.#load(key).finally(() => {
        this.#loading = undefined
      })
      try {
        const isLoaded = await within(
          patience,
          this.#loading.then(() => true),
          false,
        )
        if (!isLoaded) return { ok: false, reason: 'unavailable' }
      } catch (error) {
        logJobError('job_not_loaded', key, error)
        return { ok: false, reason: 'unavailable' }
      }
    }
    return this.#held === undefined ? { ok: false, reason: 'not_found' } : { ok: true, held: this.#held }
  }

  /** Journals and holds a job that is new. Throws where the journal does not take it, or it is not. */
  holdNew(key: JobKey, job: Job): void {
    if (this.#held !== undefined || this.isLoading) throw new Error(`job ${key.jobId} may be there already`)
    this.#journal.transaction(() => this.#journal.saveJob(key, job))
    const state = { key, job, recent: { errors: [], warnings: [] }, recorded: UNRECORDED }
    this.#held = this.#live(state)
    this.#onChange(this.#held as LiveJob)
  }

  /** Holds a job that has left the journal for D1. */
  holdArchived(archived: ArchivedJob): void {
    this.live?.close()
    this.#held = archived
  }

  #live(state: Journaled): LiveJob {
    const live: LiveJob = new LiveJob(this.#journal, state, () => this.#onChange(live))
    return live
  }

  /** The journal is empty: D1 has the job, or there is none. What is still to be done for it is done from here. */
  async #load(key: JobKey): Promise<void> {
    const found = await findJob(this.#store, key)
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
