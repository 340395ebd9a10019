import {
  type History,
  knownHistory,
  type PackedHistory,
  packHistory,
  unpackHistory,
} from '../jobs/history.ts'
import type { Job, JobKey } from '../jobs/job.ts'
import { upgradeJob } from '../jobs/job.ts'
import { type Placement, UNPLACED } from '../jobs/placement.ts'
import type { RecentEntries } from '../jobs/recent-entries.ts'
import { EntryGroups } from './entry-groups.ts'
import { EntryLog } from './entry-log.ts'
import { IdempotentReplies } from './idempotent-replies.ts'
import { MessageLog } from './message-log.ts'
import {
  type Progress,
  STORED_VERSION,
  type StoredHistory,
  type StoredState,
  UNRECORDED,
  upgradeJournal,
} from './upgrade-journal.ts'

/** A job as the journal holds it. */
export interface Journaled {
  key: JobKey
  job: Job
  recent: RecentEntries
  recorded: Progress
  history: History
}

const JOB = 'job'
const ARCHIVED = 'archived'

/**
 * The object's own storage: the write-ahead log. A report is acknowledged once it is here. Everything is synchronous,
 * so no other request comes between the steps of a report. The job is one value; its entries, its messages and the
 * replies to keyed reports are rows.
 */
export class Journal {
  /** Where the job is recorded. It is stored with the job, since an alarm brings no credential that tells it. */
  placement: Placement = UNPLACED
  readonly #storage: DurableObjectStorage
  #hasTables = false
  #entries: EntryLog | undefined
  #groups: EntryGroups | undefined
  #replies: IdempotentReplies | undefined
  #messages: MessageLog | undefined

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** The job, upgraded if an earlier version stored it; undefined if none was created here, or it has been archived. */
  load(): Journaled | undefined {
    upgradeJournal(this.#storage, TABLES)
    const stored = this.#storage.kv.get<StoredState>(JOB)
    if (stored === undefined) return undefined
    const { key, recorded = UNRECORDED } = stored
    const job = upgradeJob(stored.job)
    this.placement = stored.placement ?? UNPLACED
    const history = stored.history ? unpackHistory(asPacked(stored.history)) : knownHistory(job)
    return { key, job, recorded, history, recent: this.recent(job) }
  }

  /** Whether it holds neither a job nor the mark of an archived one. */
  get isEmpty(): boolean {
    return this.#storage.kv.get(JOB) === undefined && this.archivedUntil === undefined
  }

  /** Runs `write` in one transaction. If it throws, nothing it wrote is kept. */
  transaction<Result>(write: () => Result): Result {
    this.#createTables()
    try {
      return this.#storage.transactionSync(write)
    } catch (error) {
      // They may remember rows that were rolled back.
      this.#replies = undefined
      this.#groups = undefined
      this.#messages = undefined
      throw error
    }
  }

  /** Resolves once everything written is on disk. */
  sync(): Promise<void> {
    return this.#storage.sync()
  }

  /**
   * `recorded` rides with the job, since a commit of its own would cost as much as a report. It may be lost in a crash:
   * D1 then gets again what it has. The history rides too: it is at most 200 points.
   */
  saveJob({ key, job, recorded, history }: Omit<Journaled, 'recent'>): void {
    const { placement } = this
    const { spacing, numbers } = packHistory(history)
    this.#storage.kv.put(JOB, {
      version: STORED_VERSION,
      key,
      job,
      recorded,
      placement,
      // Typed: it is copied and not serialized number by number, with each report.
      history: { spacing, numbers: new Float64Array(numbers) },
    } satisfies StoredState)
  }

  /** The newest entries of the job when it had this many. */
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

  get messages(): MessageLog {
    this.#createTables()
    this.#messages ??= new MessageLog(this.#storage.sql)
    return this.#messages
  }

  /**
   * The mark of an archived job whose id derives from an idempotency key: D1 keeps the job until this time, in ms since
   * the epoch; null: forever. While it stands, an empty journal does not mean that the job is missing: it must not be
   * created again unless D1 says so.
   */
  get archivedUntil(): number | null | undefined {
    return this.#storage.kv.get<number | null>(ARCHIVED)
  }

  /**
   * Deletes everything and leaves the mark of an archived job, if any, in one step: a crash or a failure leaves either
   * everything or the mark.
   */
  clear(archivedUntil: number | null | undefined): void {
    this.#storage.transactionSync(() => {
      this.#createTables()
      // Not dropped: a cursor that was left before its end locks its table.
      for (const table of ['entry', 'entity', 'entry_group', 'reply', 'message']) {
        this.#storage.sql.exec(`delete from ${table}`)
      }
      for (const [name] of this.#storage.kv.list()) this.#storage.kv.delete(name)
      if (archivedUntil !== undefined) this.#storage.kv.put(ARCHIVED, archivedUntil)
    })
    this.#forget()
  }

  /** Deletes everything, so the object no longer costs storage. */
  async empty(): Promise<void> {
    this.#forget()
    await this.#storage.deleteAll()
  }

  #forget(): void {
    this.#hasTables = false
    this.#entries = undefined
    this.#groups = undefined
    this.#replies = undefined
    this.#messages = undefined
  }

  /** Called on first use and not in the constructor: looking up a job that does not exist then stores nothing. */
  #createTables(): void {
    if (this.#hasTables) return
    this.#storage.sql.exec(TABLES)
    this.#hasTables = true
  }
}

function asPacked({ spacing, numbers }: StoredHistory): PackedHistory {
  return { spacing, numbers: [...numbers] }
}

const TABLES = EntryLog.tables + EntryGroups.tables + IdempotentReplies.tables + MessageLog.tables
