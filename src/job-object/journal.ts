import { type EntryGroup, type EntryPage, lastLookedAt } from '../jobs/entry-page.ts'
import type { Entry, EntryKind, Job, JobKey, JobSnapshot } from '../jobs/job.ts'
import { type Answer, judgeRetry, type Retry } from '../jobs/retry.ts'
import type { Standing, StandingChange } from '../jobs/standing.ts'
import { Answers } from './answers.ts'
import { EntryGroups } from './entry-groups.ts'
import { type JobReply, shownAgain } from './replies.ts'

/** How many of the newest entries of each kind a job is shown with. */
export const RECENT_ENTRIES = 100

/** What one write to D1 may carry: it takes values of 2 MB, and a character is up to 3 bytes. */
const ENTRIES_A_WRITE = 1_000
const CHARACTERS_A_WRITE = 500_000

/** How far D1 has come: the revision it holds, and how many entries of each kind. */
export interface Recorded {
  revision: number
  /** The status it holds; null while it has not got the job at all. */
  status: Job['status'] | null
  error: number
  warning: number
}

export const NOTHING_RECORDED: Recorded = { revision: 0, status: null, error: 0, warning: 0 }

/** What the journal holds of its job. */
export interface Journaled extends JobSnapshot {
  key: JobKey
  recorded: Recorded
}

/**
 * The object's own storage: the write-ahead log that a report is acknowledged from. All of it is synchronous, so that a
 * report can be applied without a pause. The job is one value; its entries are rows, so that the 10,000th costs what the
 * first one cost; the standing of each entity is a row too, so that counting distinct ones never reads the entries.
 */
export class Journal {
  readonly #storage: DurableObjectStorage
  readonly #groups = { error: new EntryGroups(), warning: new EntryGroups() }
  #hasTables = false
  #readAnswers: Answers | undefined

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
      errors: this.#newest('error', saved.job.keptErrors),
      warnings: this.#newest('warning', saved.job.keptWarnings),
    }
  }

  /** Runs `write` in one transaction: all of what it writes is kept, or, where it throws, none. */
  transaction<Result>(write: () => Result): Result {
    this.#createTables()
    try {
      return this.#storage.transactionSync(write)
    } catch (error) {
      this.#readAnswers = undefined // What it remembers may never have been kept.
      throw error
    }
  }

  saveJob(key: JobKey, job: Job): void {
    this.#storage.kv.put('job', { key, job })
  }

  saveRecorded(recorded: Recorded): void {
    this.#storage.kv.put('recorded', recorded)
  }

  append(entries: Entry[], standings: StandingChange[]): void {
    for (const { kind, seq, text } of entries) {
      this.#storage.sql.exec(
        'insert or replace into entry (kind, seq, text) values (?, ?, ?)',
        kind,
        seq,
        text,
      )
    }
    for (const { entityType, entityKey, standing } of standings) {
      this.#storage.sql.exec(
        'insert or replace into entity (entity_type, entity_key, standing) values (?, ?, ?)',
        entityType,
        entityKey,
        standing,
      )
    }
  }

  standingOf(entityType: string, entityKey: string): Standing {
    const [row] = this.#storage.sql
      .exec<{ standing: Standing }>(
        'select standing from entity where entity_type = ? and entity_key = ?',
        entityType,
        entityKey,
      )
      .toArray()
    return row?.standing ?? 'clean'
  }

  /** The texts of the newest entries up to the `kept`th, oldest first: as a job showed them when it had so many. */
  #newest(kind: EntryKind, kept: number): string[] {
    this.#createTables()
    return this.#storage.sql
      .exec<EntryRow>(
        'select seq, text from entry where kind = ? and seq > ? and seq <= ? order by seq',
        kind,
        kept - RECENT_ENTRIES,
        kept,
      )
      .toArray()
      .map(({ text }) => text)
  }

  page({ kind, after, limit, errorType = null }: EntryPage): Entry[] {
    return this.#storage.sql
      .exec<EntryRow>(
        `select seq, text from entry where kind = ?1 and seq > ?2 and seq <= ?3
         and (?4 is null or text ->> 'error_type' = ?4) order by seq limit ?5`,
        kind,
        after,
        lastLookedAt({ kind, after, limit, errorType }),
        errorType,
        limit,
      )
      .toArray()
      .map((row) => ({ kind, ...row }))
  }

  /** How many of the `kept` entries of one kind there are of each error type. */
  groups(kind: EntryKind, kept: number): EntryGroup[] {
    return this.#groups[kind].read(kept, (place) =>
      this.#storage.sql
        .exec<EntryGroup & Record<string, SqlStorageValue>>(
          `select text ->> 'error_type' as errorType, count(*) as count from entry where kind = ? and seq > ? group by 1`,
          kind,
          place,
        )
        .toArray(),
    )
  }

  /** The entries that D1 has not got, oldest first, as many as one write may carry; `unfinished` where more are left. */
  entriesBeyond(recorded: Recorded): { entries: Entry[]; unfinished: boolean } {
    const entries: Entry[] = []
    let characters = 0
    for (const kind of ['error', 'warning'] as const) {
      const rows = this.#storage.sql.exec<EntryRow>(
        'select seq, text from entry where kind = ? and seq > ? order by seq',
        kind,
        recorded[kind],
      )
      for (const row of rows) {
        characters += row.text.length
        if (entries.length === ENTRIES_A_WRITE || (characters > CHARACTERS_A_WRITE && entries.length > 0)) {
          return { entries, unfinished: true }
        }
        entries.push({ kind, ...row })
      }
    }
    return { entries, unfinished: false }
  }

  /** The answer that was given to a report of this key before; undefined where there was none. */
  replay(retry: Retry, now: number): JobReply | undefined {
    return this.#replayOf(this.#answers().find(retry.key), retry, now)
  }

  replayOfCreate(retry: Retry, now: number): JobReply | undefined {
    return this.#replayOf(this.#storage.kv.get<Answer>('answer-to-create'), retry, now)
  }

  keepAnswer(answer: Answer): void {
    this.#answers().keep(answer)
  }

  keepAnswerToCreate(answer: Answer): void {
    this.#storage.kv.put('answer-to-create', answer)
  }

  /** All answers given after `since`, in ms since the epoch, and the one to the create. */
  answersSince(since: number): Answer[] {
    const toCreate = this.#storage.kv.get<Answer>('answer-to-create')
    return [...(toCreate === undefined ? [] : [toCreate]), ...this.#answers().since(since)]
  }

  /** Empties the object: nothing of it is left to pay for. */
  async clear(): Promise<void> {
    this.#hasTables = false
    this.#readAnswers = undefined
    await this.#storage.deleteAll()
  }

  #replayOf(earlier: Answer | undefined, retry: Retry, now: number): JobReply | undefined {
    const verdict = judgeRetry(earlier, retry, now)
    if (verdict === 'reused') return { ok: false, reason: 'retry_key_reused' }
    if (earlier === undefined || verdict === 'new') return undefined
    const { keptErrors, keptWarnings } = earlier.job
    return shownAgain(earlier, this.#newest('error', keptErrors), this.#newest('warning', keptWarnings))
  }

  #answers(): Answers {
    this.#createTables()
    this.#readAnswers ??= new Answers(this.#storage.sql)
    return this.#readAnswers
  }

  /** Made with the first write, not with the object: looking up a job that does not exist then stores nothing. */
  #createTables(): void {
    if (this.#hasTables) return
    this.#storage.sql.exec(`
      create table if not exists entry (
        kind text not null, seq integer not null, text text not null, primary key (kind, seq)
      ) without rowid;
      create table if not exists entity (
        entity_type text not null, entity_key text not null, standing text not null,
        primary key (entity_type, entity_key)
      ) without rowid;
      create table if not exists answer (
        slot integer primary key, n integer not null, retry_key text not null, fingerprint text not null,
        as_of integer not null, job text not null
      );`)
    this.#hasTables = true
  }
}

/** The newest entries of one kind once `appended` came: the same array where none of them is of that kind. */
export function withNewest(recent: string[], appended: Entry[], kind: EntryKind): string[] {
  const added = appended.filter((entry) => entry.kind === kind).map(({ text }) => text)
  return added.length === 0 ? recent : [...recent, ...added].slice(-RECENT_ENTRIES)
}

type EntryRow = { seq: number; text: string }
