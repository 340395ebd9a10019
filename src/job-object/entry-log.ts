import { type EntryPage, type FoundEntries, scanLimit } from '../jobs/entry-page.ts'
import type { Entry, EntryKind } from '../jobs/job.ts'
import { MAX_PAGE_BYTES, SHOWN_ENTRIES, SHOWN_ENTRY_BYTES } from '../jobs/limits.ts'
import type { SizedEntry } from '../jobs/recent-entries.ts'
import type { EntityChange, EntityState } from '../jobs/tally.ts'

/** Bounds of one write to D1, which takes values of up to 2 MB. JSON may turn one byte into six. */
const MAX_WRITE_ENTRIES = 1_000
const MAX_WRITE_CHARACTERS = 500_000

/**
 * The job's entries in the object's own storage, one row each: the 10,000th costs no more than the first. The state of
 * each entity is a row too, so counting distinct entities never reads the entries.
 */
export class EntryLog {
  static readonly tables = `
    create table if not exists entry (
      kind text not null, seq integer not null, text text not null, primary key (kind, seq)
    ) without rowid;
    create table if not exists entity (
      entity_type text not null, entity_key text not null, state text not null,
      primary key (entity_type, entity_key)
    ) without rowid;`

  readonly #sql: SqlStorage

  /** Its tables must exist. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  append(entries: Entry[], entities: EntityChange[]): void {
    for (const { kind, seq, text } of entries) {
      this.#sql.exec('insert or replace into entry (kind, seq, text) values (?, ?, ?)', kind, seq, text)
    }
    for (const { entityType, entityKey, state } of entities) {
      this.#sql.exec(
        'insert or replace into entity (entity_type, entity_key, state) values (?, ?, ?)',
        entityType,
        entityKey,
        state,
      )
    }
  }

  stateOf(entityType: string, entityKey: string): EntityState {
    const [row] = this.#sql
      .exec<{ state: EntityState }>(
        'select state from entity where entity_type = ? and entity_key = ?',
        entityType,
        entityKey,
      )
      .toArray()
    return row?.state ?? 'clean'
  }

  /** The newest of the `kept` entries of a kind, as many as a reply shows, oldest first. */
  recent(kind: EntryKind, kept: number): SizedEntry[] {
    const rows = this.#sql.exec<{ text: string; bytes: number }>(
      `select text, octet_length(text) as bytes from entry where kind = ? and seq > ? and seq <= ? order by seq desc`,
      kind,
      kept - SHOWN_ENTRIES,
      kept,
    )
    const entries: SizedEntry[] = []
    let bytes = 0
    for (const row of rows) {
      bytes += row.bytes
      if (bytes > SHOWN_ENTRY_BYTES) break
      entries.push(row)
    }
    return entries.reverse()
  }

  page(page: EntryPage): FoundEntries {
    const rows = this.#sql.exec<{ seq: number; text: string | null; bytes: number }>(
      `select seq, iif(?3 is null or text ->> 'error_type' = ?3, text, null) as text, octet_length(text) as bytes
       from entry where kind = ?1 and seq > ?2 order by seq limit ?4`,
      page.kind,
      page.after,
      page.errorType,
      scanLimit(page),
    )
    const entries: Entry[] = []
    let reached = page.after
    let total = 0
    for (const { seq, text, bytes } of rows) {
      if (text !== null) entries.push({ kind: page.kind, seq, text })
      reached = seq
      total += bytes
      if (total >= MAX_PAGE_BYTES || entries.length === page.limit) break
    }
    return { entries, reached }
  }

  /** The number and bytes of a kind's entries with `after < seq <= last`. */
  measure(
    kind: EntryKind,
    { after, last }: { after: number; last: number },
  ): { count: number; bytes: number } {
    return this.#sql
      .exec<{ count: number; bytes: number }>(
        `select count(*) as count, coalesce(sum(octet_length(text)), 0) as bytes from entry
         where kind = ? and seq > ? and seq <= ?`,
        kind,
        after,
        last,
      )
      .one()
  }

  /** The oldest entries that D1 lacks, as many as one write may carry. `unfinished`: D1 lacks more than these. */
  unrecorded(recorded: Record<EntryKind, number>): { entries: Entry[]; unfinished: boolean } {
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
        if (
          entries.length === MAX_WRITE_ENTRIES ||
          (characters > MAX_WRITE_CHARACTERS && entries.length > 0)
        ) {
          return { entries, unfinished: true }
        }
        entries.push({ kind, ...row })
      }
    }
    return { entries, unfinished: false }
  }
}

type EntryRow = { seq: number; text: string }
