import type { Job, JobKey, JobSnapshot } from '../jobs/job.ts'
import { Answers } from './answers.ts'
import { EntryLog } from './entry-log.ts'

/** How far D1 has come: the revision it holds, and how many entries of each kind. */
export interface Recorded {
  revision: number
  /** The status it holds; null while it has not got the job at all. */
  status: Job['status'] | null
  error: number
  warning: number
}

export const NOTHING_RECORDED: Recorded = { revision: 0, status: null, error: 0, warning: 0 }

const EMPTIED = 'emptied'

/** What the journal holds of its job. */
export interface Journaled extends JobSnapshot {
  key: JobKey
  recorded: Recorded
}

/**
 * The object's own storage: the write-ahead log that a report is acknowledged from. All of it is synchronous, so that a
 * report can be applied without a pause. The job is one value; its entries and the answers for retries are rows.
 */
export class Journal {
  readonly #storage: DurableObjectStorage
  #hasTables = false
  #entries: EntryLog | undefined
  #answers: Answers | undefined

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** The job; undefined where none was created here, or its object has been emptied. */
  load(): Journaled | undefined {
    const saved = this.#storage.kv.get<{ key: JobKey; job: Job }>('job')
    if (saved === undefined) return undefined
    return {
      ...saved,
      recorded: this.#storage.kv.get<Recorded>('recorded') ?? NOTHING_RECORDED,
      errors: this.entries.recent('error', saved.job.keptErrors),
      warnings: this.entries.recent('warning', saved.job.keptWarnings),
    }
  }

  /** Runs `write` in one transaction: all of what it writes is kept, or, where it throws, none. */
  transaction<Result>(write: () => Result): Result {
    this.#createTables()
    try {
      return this.#storage.transactionSync(write)
    } catch (error) {
      this.#answers = undefined // What it remembers may never have been kept.
      throw error
    }
  }

  saveJob(key: JobKey, job: Job): void {
    this.#storage.kv.put('job', { key, job })
  }

  saveRecorded(recorded: Recorded): void {
    this.#storage.kv.put('recorded', recorded)
  }

  get entries(): EntryLog {
    this.#createTables()
    this.#entries ??= new EntryLog(this.#storage.sql)
    return this.#entries
  }

  get answers(): Answers {
    this.#answers ??= new Answers(this.#storage, this.entries)
    return this.#answers
  }

  /**
   * Whether a job whose id follows from a key was emptied from here. Then an empty journal is no sign that there is no
   * such job: while D1 cannot tell, the job must not be created again.
   */
  get isEmptied(): boolean {
    return this.#storage.kv.get(EMPTIED) !== undefined
  }

  /** Empties the object: nothing of it is left to pay for. */
  async clear(): Promise<void> {
    this.#hasTables = false
    this.#entries = undefined
    this.#answers = undefined
    await this.#storage.deleteAll()
  }

  /** Leaves the sign that there was a job, until the job is gone from D1 too; null: for ever. */
  leaveSign(until: number | null): void {
    this.#storage.kv.put(EMPTIED, until)
    if (until !== null) void this.#storage.setAlarm(until)
  }

  /** Takes the sign away once its time is over. */
  async clearSign(now: number): Promise<void> {
    const until = this.#storage.kv.get<number | null>(EMPTIED)
    if (until !== undefined && until !== null && until <= now) await this.clear()
  }

  /** Made with the first write, not with the object: looking up a job that does not exist then stores nothing. */
  #createTables(): void {
    if (this.#hasTables) return
    this.#storage.sql.exec(EntryLog.tables + Answers.tables)
    this.#hasTables = true
  }
}
