import { type EntryGroup, type EntryPage, lastLookedAt, PAGE_CHARACTERS } from '../jobs/entry-page.ts'
import type { Entry, EntryKind } from '../jobs/job.ts'
import { RECENT_ENTRIES, recentOf } from '../jobs/recent-entries.ts'
import type { Standing, StandingChange } from '../jobs/standing.ts'
import { EntryGroups } from './entry-groups.ts'

/** What one write to D1 may carry: it takes values of 2 MB, and a character is up to 3 bytes. */
const ENTRIES_A_WRITE = 1_000
const CHARACTERS_A_WRITE = 500_000

/**
 * The job's entries in the object's own storage, a row each, so that the 10,000th costs what the first one cost. The
 * standing of each entity is a row too, so that counting distinct ones never reads the entries.
 */
export class EntryLog {
  static readonly tables = `
    create table if not exists entry (
      kind text not null, seq integer not null, text text not null, primary key (kind, seq)
    ) without rowid;
    create table if not exists entity (
      entity_type text not null, entity_key text not null, standing text not null,
      primary key (entity_type, entity_key)
    ) without rowid;`

  readonly #sql: SqlStorage
  readonly #groups = { error: new EntryGroups(), warning: new EntryGroups() }

  /** Its tables must be there. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  append(entries: Entry[], standings: StandingChange[]): void {
    for (const { kind, seq, text } of entries) {
      this.#sql.exec('insert or replace into entry (kind, seq, text) values (?, ?, ?)', kind, seq, text)
    }
    for (const { entityType, entityKey, standing } of standings) {
      this.#sql.exec(
        'insert or replace into entity (entity_type, entity_key, standing) values (?, ?, ?)',
        entityType,
        entityKey,
        standing,
      )
    }
  }

  standingOf(entityType: string, entityKey: string): Standing {
    const [row] = this.#sql
      .exec<{ standing: Standing }>(
        'select standing from entity where entity_type = ? and entity_key = ?',
        entityType,
        entityKey,
      )
      .toArray()
    return row?.standing ?? 'clean'
  }

  /** The recent entries as the job showed them when `kept` of this kind were kept. */
  recent(kind: EntryKind, kept: number): string[] {
    const rows = this.#sql.exec<EntryRow>(
      'select seq, text from entry where kind = ? and seq > ? and seq <= ? order by seq',
      kind,
      kept - RECENT_ENTRIES,
      kept,
    )
    return recentOf(rows.toArray().map(({ text }) => text))
  }

  page(page: EntryPage): Entry[] {
    const rows = this.#sql.exec<EntryRow>(
      `select seq, text from entry where kind = ?1 and seq > ?2 and seq <= ?3
       and (?4 is null or text ->> 'error_type' = ?4) order by seq limit ?5`,
      page.kind,
      page.after,
      lastLookedAt(page),
      page.errorType,
      page.limit,
    )
    const entries: Entry[] = []
    let characters = 0
    for (const row of rows) {
      entries.push({ kind: page.kind, ...row })
      characters += row.text.length
      if (characters >= PAGE_CHARACTERS) break
    }
    return entries
  }

  /** How many of the `kept` entries of one kind there are of each error type. */
  groups(kind: EntryKind, kept: number): EntryGroup[] {
    return this.#groups[kind].read(kept, (place) =>
      this.#sql
        .exec<EntryGroup & Record<string, SqlStorageValue>>(
          `select text ->> 'error_type' as errorType, count(*) as count from entry where kind = ? and seq > ? and seq <= ? group by 1`,
          kind,
          place,
          kept,
        )
        .toArray(),
    )
  }

  /** The entries behind those that D1 has, oldest first, as many as one write may carry; `unfinished`: there are more. */
  beyond(recorded: Record<EntryKind, number>): { entries: Entry[]; unfinished: boolean } {
    const entries: Entry[] = []
    let characters = 0
    for (const kind of ['error', 'warning'] as const) {
      const rows = this.#sql.exec<EntryRow>(
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
}

type EntryRow = { seq: number; text: string }
