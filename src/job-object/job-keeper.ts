import { isFinished, type Job, type JobKey } from '../jobs/job.ts'
import type { Change } from '../jobs/outcome.ts'
import { RETRY_WINDOW, type Retry } from '../jobs/retry.ts'
import { logTrouble, ofJob } from '../log.ts'
import { type JobRecord, recordJob } from '../store/record-job.ts'
import type { Store } from '../store/store.ts'
import { adoptJob } from './adopt-job.ts'
import { Archive } from './archive.ts'
import { type Command, commitCommands } from './commit-commands.ts'
import { GroupCommit } from './group-commit.ts'
import { Journal, type Journaled, NOTHING_RECORDED } from './journal.ts'
import { Recorder } from './recorder.ts'
import { type JobReply, shown } from './replies.ts'

/** How long a change of status waits for D1 to have it, in ms; then the reply goes out all the same. */
const STATUS_PATIENCE = 2_000

/** The job as the journal holds it, or, with `archive`, as D1 does: then it is finished, and the journal empty. */
export type Held = Journaled & { archive?: Archive }
export type Found = { ok: true; held: Held } | { ok: false; reason: 'not_found' | 'unavailable' }

/**
 * Keeps one job in three places: memory, which answers; the object's own disk, from which changes are acknowledged; and
 * D1, which is brought level with the disk.
 */
export class JobKeeper {
  readonly journal: Journal
  readonly #store: Store
  readonly #onChange: (held: Held) => void
  readonly #recorder: Recorder<JobRecord>
  readonly #commands: GroupCommit<Command, JobReply>
  #held: Held | undefined
  #loading: Promise<void> | undefined

  /** `onChange` is told of each new state, once it is journaled. */
  constructor(storage: DurableObjectStorage, store: Store, onChange: (held: Held) => void) {
    this.journal = new Journal(storage)
    this.#store = store
    this.#onChange = onChange
    this.#commands = new GroupCommit(
      (commands) => this.#commit(commands),
      () => storage.sync(),
    )
    this.#held = this.journal.load()
    this.#recorder = new Recorder({
      isBehind: () => this.#held !== undefined && this.#held.recorded.revision < this.#held.job.revision,
      lacking: () => this.#lacking(this.#job()),
      write: (record) => recordJob(this.#store, record),
      written: (record) => this.#written(this.#job(), record),
      refused: (error) => logTrouble('job_not_recorded', ofJob(this.#held?.key), error),
    })
    this.#recorder.soon()
  }

  /** The job in memory; undefined where it was not asked for yet, or is not there. */
  get held(): Held | undefined {
    return this.#held
  }

  /** The job, from D1 where the journal is empty. */
  async find(key: JobKey): Promise<Found> {
    if (this.#held !== undefined) return { ok: true, held: this.#held }
    try {
      this.#loading ??= this.#load(key).finally(() => {
        this.#loading = undefined
      })
      await this.#loading
    } catch (error) {
      logTrouble('job_not_loaded', ofJob(key), error)
      return { ok: false, reason: 'unavailable' }
    }
    return this.#held === undefined ? { ok: false, reason: 'not_found' } : { ok: true, held: this.#held }
  }

  /** Begins a job that nobody holds. */
  async begin(key: JobKey, job: Job, retry: Retry | null): Promise<JobReply> {
    try {
      this.journal.transaction(() => {
        this.journal.saveJob(key, job)
        if (retry !== null) this.journal.answers.keepToCreate({ retry, asOf: job.createdAt, job })
      })
    } catch (error) {
      logTrouble('job_not_created', ofJob(key), error)
      return { ok: false, reason: 'unavailable' }
    }
    this.#hold({ key, job, errors: [], warnings: [], recorded: NOTHING_RECORDED })
    await this.untilRecorded(job)
    return shown({ job, errors: [], warnings: [] }, job.createdAt)
  }

  /** Changes the job and answers once the change is kept; a change of status waits for D1 too, for a while. */
  async change(key: JobKey, change: Change, retry: Retry | null): Promise<JobReply> {
    const found = await this.find(key)
    if (!found.ok) return found
    const { held } = found
    try {
      if (held.archive !== undefined) return await held.archive.change(held, change, retry, Date.now())
      const reply = await this.#commands.add({ change, retry })
      if (reply.ok && (reply.replayed || reply.job.status !== held.job.status))
        await this.untilRecorded(reply.job)
      return reply
    } catch (error) {
      logTrouble('change_not_kept', ofJob(key), error)
      return { ok: false, reason: 'unavailable' }
    }
  }

  /**
   * Waits, for a while, until D1 has the status of the job. A retry waits as well: it may come while the first request
   * still does.
   */
  async untilRecorded({ status, revision }: Job): Promise<void> {
    const isRecorded = () => {
      const { recorded } = this.#job()
      return recorded.revision >= revision || recorded.status === status
    }
    await this.#recorder.until(isRecorded, STATUS_PATIENCE)
  }

  /** Brings D1 level now. False where it did not take everything. */
  record(): Promise<boolean> {
    return this.#recorder.now()
  }

  /**
   * Empties the journal of a finished job that D1 has whole, and will have until `goneAt` (ms since the epoch; null: for
   * ever). False where D1 lacks something of it.
   */
  async archive(goneAt: number | null): Promise<boolean> {
    const held = this.#job()
    const archive = new Archive(this.#store, held.key)
    const revision = await archive.revision()
    if (revision < held.job.revision) {
      // D1 had it once, and has lost it: it gets all of it again.
      this.journal.saveRecorded(NOTHING_RECORDED)
      this.#held = { ...held, recorded: NOTHING_RECORDED }
      return false
    }
    const answers = this.journal.answers.since(Date.now() - RETRY_WINDOW)
    await archive.take(answers)
    // A request may have been answered meanwhile: its answer is taken the next time.
    if (this.journal.answers.since(Date.now() - RETRY_WINDOW).length > answers.length) return false
    const { hasToCreate } = this.journal.answers
    this.#held = { ...held, archive }
    await this.journal.clear()
    if (hasToCreate) this.journal.leaveSign(goneAt)
    return true
  }

  /** Memory follows the disk: where the journal throws, the job held stays as it was. */
  #commit(commands: Command[]): JobReply[] {
    const held = this.#job()
    if (held.archive !== undefined) throw new Error('the journal has been emptied')
    const { snapshot, replies } = commitCommands(this.journal, held, commands, Date.now())
    if (snapshot.job !== held.job) this.#hold({ ...held, ...snapshot })
    return replies
  }

  /** Takes up a new state of the job, and sees to what is due of it. */
  #hold(held: Held): void {
    this.#held = held
    this.#onChange(held)
    this.#recorder.soon()
  }

  /** The journal is empty: D1 has the job, or there is none. */
  async #load(key: JobKey): Promise<void> {
    const archive = new Archive(this.#store, key)
    const found = await archive.load()
    if (found === undefined || this.#held !== undefined) return
    if (isFinished(found.job.status) && found.job.nextDeliveryAt === null) {
      this.#held = { ...found, archive }
    } else {
      await adoptJob(this.journal, archive, found)
      // As after a change: what its alarm was set for may be due still.
      this.#hold(found)
    }
  }

  #lacking({ key, job, recorded }: Held): JobRecord {
    return {
      key,
      job,
      ...this.journal.entries.beyond(recorded),
      onlyProgress: recorded.status === job.status,
    }
  }

  #written(held: Held, { job, entries, unfinished }: JobRecord): void {
    const recorded = { ...held.recorded }
    for (const { kind, seq } of entries) recorded[kind] = Math.max(recorded[kind], seq)
    if (!unfinished) Object.assign(recorded, { revision: job.revision, status: job.status })
    this.journal.saveRecorded(recorded)
    this.#held = { ...held, recorded }
  }

  #job(): Held {
    if (this.#held === undefined) throw new Error('no job is held')
    return this.#held
  }
}
