import type { Job, JobKey } from '../jobs/job.ts'
import type { RecentEntries } from '../jobs/recent-entries.ts'
import { upgradeJob } from '../jobs/upgrade-job.ts'
import { EntryGroups } from './entry-groups.ts'
import { EntryLog } from './entry-log.ts'
import { IdempotentReplies } from './idempotent-replies.ts'
import { STORED_VERSION, type StoredState, upgradeJournal } from './upgrade-journal.ts'

/** How far D1 has come: the revision it holds, and how many entries of each kind. */
export interface Progress {
  revision: number
  /** The status it holds; null while it has not got the job at all. */
  status: Job['status'] | null
  error: number
  warning: number
}

export const UNRECORDED: Progress = { revision: 0, status: null, error: 0, warning: 0 }

/** What the journal holds of its job. */
export interface Journaled {
  key: JobKey
  job: Job
  recent: RecentEntries
  recorded: Progress
}

const JOB = 'job'
const RECORDED = 'recorded'
const ARCHIVED = 'archived'

/**
 * The object's own storage: the write-ahead log that a report is acknowledged from. All of it is synchronous, so that a
 * report can be applied without a pause. The job is one value; its entries and the replies to keyed reports are rows.
 */
export class Journal {
  readonly #storage: DurableObjectStorage
  #hasTables = false
  #entries: EntryLog | undefined
  #groups: EntryGroups | undefined
  #replies: IdempotentReplies | undefined

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** The job; undefined where none was created here, or it has left for D1. Whatever an earlier version stored is upgraded. */
  load(): Journaled | undefined {
    upgradeJournal(this.#storage, TABLES)
    const stored = this.#storage.kv.get<StoredState>(JOB)
    if (stored === undefined) return undefined
    const job = upgradeJob(stored.job)
    return {
      key: stored.key,
      job,
      recorded: this.#storage.kv.get<Progress>(RECORDED) ?? UNRECORDED,
      recent: this.recent(job),
    }
  }

  /** Whether there is nothing here: no job, nor the mark of one that has left. */
  get isEmpty(): boolean {
    return this.#storage.kv.get(JOB) === undefined && this.archivedUntil === undefined
  }

  /** Runs `write` in one transaction: all of what it writes is kept, or, where it throws, none. */
  transaction<Result>(write: () => Result): Result {
    this.#createTables()
    try {
      return this.#storage.transactionSync(write)
    } catch (error) {
      // What they remember may never have been kept.
      this.#replies = undefined
      this.#groups = undefined
      throw error
    }
  }

  /** Waits until all that was written is on disk. */
  sync(): Promise<void> {
    return this.#storage.sync()
  }

  saveJob(key: JobKey, job: Job): void {
    this.#storage.kv.put(JOB, { version: STORED_VERSION, key, job } satisfies StoredState)
  }

  saveRecorded(recorded: Progress): void {
    this.#storage.kv.put(RECORDED, recorded)
  }

  /** The newest entries of the job, as it was when it had so many. */
  recent({ keptErrors, keptWarnings }: Pick<Job, 'keptErrors' | 'keptWarnings'>): RecentEntries {
    return {
      errors: keptErrors === 0 ? [] : this.entries.recent('error', keptErrors),
      warnings: keptWarnings === 0 ? [] : this.entries.recent('warning', keptWarnings),
    }
  }

  get entries(): EntryLog {
    this.#createTables()
    this.#entries ??= new EntryLog(this.#storage.sql)
    return this.#entries
  }

  get groups(): EntryGroups {
    this.#createTables()
    this.#groups ??= new EntryGroups(this.#storage)
    return this.#groups
  }

  get replies(): IdempotentReplies {
    this.#createTables()
    this.#replies ??= new IdempotentReplies(this.#storage.sql)
    return this.#replies
  }

  /**
   * Until when (ms since the epoch; null: for ever) D1 has a job that left from here and whose id follows from a key.
   * An empty journal is then no sign that there is no such job: while D1 cannot tell, it must not be created again.
   */
  get archivedUntil(): number | null | undefined {
    return this.#storage.kv.get<number | null>(ARCHIVED)
  }

  /** Empties the object and leaves the mark that its job is in D1, in one step: a crash leaves either all or the mark. */
  emptyWithMark(archivedUntil: number | null): void {
    this.#storage.transactionSync(() => {
      for (const table of ['entry', 'entity', 'entry_group', 'reply']) {
        this.#storage.sql.exec(`drop table if exists ${table}`)
      }
      for (const [name] of this.#storage.kv.list()) this.#storage.kv.delete(name)
      this.#storage.kv.put(ARCHIVED, archivedUntil)
    })
    this.#forget()
  }

  /** Empties the object: nothing of it is left to pay for. */
  async empty(): Promise<void> {
    this.#forget()
    await this.#storage.deleteAll()
  }

  #forget(): void {
    this.#hasTables = false
    this.#entries = undefined
    this.#groups = undefined
    this.#replies = undefined
  }

  /** Made with the first write, not with the object: looking up a job that does not exist then stores nothing. */
  #createTables(): void {
    if (this.#hasTables) return
    this.#storage.sql.exec(TABLES)
    this.#hasTables = true
  }
}

const TABLES = EntryLog.tables + EntryGroups.tables + IdempotentReplies.tables
