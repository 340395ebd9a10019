import type { EntryGroup, ShownGroup } from '../jobs/entry-page.ts'
import type { Entry, EntryKind } from '../jobs/job.ts'
import {
  MAX_ERROR_TYPE_BYTES,
  MAX_ERROR_TYPES,
  MAX_SAMPLE_LENGTH,
  SHOWN_ERROR_TYPE_BYTES,
  SHOWN_ERROR_TYPES,
} from '../jobs/limits.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'
import type { RankedGroup } from '../store/entry-groups.ts'

/** Stores the `seq` of the last entry counted, for each kind. */
const COUNTED = 'counted'
/** Entries counted in one step. A report or a reader finds at most this many left over to count, … */
const STEP = 1_000
/** … and about this many characters of them, since counting parses each. */
const STEP_CHARACTERS = 256 * 1024

/**
 * The number of entries of each error type, one row each, and where its first and its last entry is. Entries are counted
 * by the thousand and not as they arrive: a report then writes no extra row, and a reader counts only what is new.
 */
export class EntryGroups {
  static readonly tables = `
    create table if not exists entry_group (
      kind text not null, error_type text not null, count integer not null, first_seq integer, last_seq integer,
      primary key (kind, error_type)
    ) without rowid;`

  readonly #storage: DurableObjectStorage
  #counted: Record<EntryKind, number>
  #uncountedCharacters = 0

  /** Its tables and those of the entry log must exist. */
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#counted = storage.kv.get(COUNTED) ?? { error: 0, warning: 0 }
  }

  /** Counts new entries, `added` among them, once there are enough. Call it within a transaction. */
  countIfDue(kept: Record<EntryKind, number>, added: Entry[]): void {
    for (const { text } of added) this.#uncountedCharacters += text.length
    const isDue = (kind: EntryKind) => kept[kind] - this.#counted[kind] >= STEP
    const isHeavy = this.#uncountedCharacters >= STEP_CHARACTERS
    if (isHeavy || isDue('error') || isDue('warning')) this.#countAll(kept)
  }

  #countAll(kept: Record<EntryKind, number>): void {
    if (kept.error === this.#counted.error && kept.warning === this.#counted.warning) return
    for (const kind of ['error', 'warning'] as const) {
      for (let after = this.#counted[kind]; after < kept[kind]; after += STEP) {
        this.#countStep(kind, after, Math.min(after + STEP, kept[kind]))
      }
    }
    this.#counted = { ...kept }
    this.#uncountedCharacters = 0
    this.#storage.kv.put(COUNTED, this.#counted)
  }

  /** The most frequent types of one kind, as many as a reply names. Call it within a transaction. */
  mostFrequent(kind: EntryKind, kept: Record<EntryKind, number>): ShownGroup[] {
    this.#countAll(kept)
    const ofLast = (name: string) => `substr(last.text ->> '${name}', 1, ?4)`
    return this.#storage.sql
      .exec<ShownGroup & Row>(
        `select error_type as errorType, count,
           first.text ->> 'timestamp' as firstSeen, last.text ->> 'timestamp' as lastSeen,
           ${ofLast('entity_type')} as entityType, ${ofLast('entity_key')} as entityKey, ${ofLast('message')} as message
         from (
           select *, sum(octet_length(json_quote(error_type))) over ${RANKING} as bytes
           from entry_group where kind = ?1 order by count desc, error_type limit ?2
         ) ranked
         left join entry first on first.kind = ?1 and first.seq = first_seq
         left join entry last on last.kind = ?1 and last.seq = last_seq
         where bytes <= ?3 order by count desc, error_type`,
        kind,
        SHOWN_ERROR_TYPES,
        SHOWN_ERROR_TYPE_BYTES,
        MAX_SAMPLE_LENGTH,
      )
      .toArray()
  }

  /**
   * The groups after the first `after`, by kind and rank: as many as take `maxBytes` of JSON, and at least one. Call it
   * within a transaction.
   */
  ranked(kept: Record<EntryKind, number>, after: number, maxBytes: number): RankedGroup[] {
    this.#countAll(kept)
    const rows = this.#storage.sql.exec<RankedGroup & Row>(
      `select kind, row_number() over (partition by kind order by count desc, error_type) as rank,
         error_type as errorType, count, first_seq as firstSeq, last_seq as lastSeq
       from entry_group order by kind, rank limit -1 offset ?`,
      after,
    )
    const groups: RankedGroup[] = []
    let bytes = 0
    for (const row of rows) {
      bytes += utf8Bytes(JSON.stringify(row))
      if (bytes > maxBytes && groups.length > 0) break
      groups.push(row)
    }
    return groups
  }

  #countStep(kind: EntryKind, after: number, last: number): void {
    const found = this.#storage.sql
      .exec<EntryGroup & Row>(
        `select text ->> 'error_type' as errorType, count(*) as count, min(seq) as firstSeq, max(seq) as lastSeq
         from entry where kind = ? and seq > ? and seq <= ? group by 1 order by min(seq)`,
        kind,
        after,
        last,
      )
      .toArray()
    let room = this.#room(kind)
    for (const { errorType, count, firstSeq, lastSeq } of found) {
      const { rowsWritten } = this.#storage.sql.exec(
        'update entry_group set count = count + ?, last_seq = ? where kind = ? and error_type = ?',
        count,
        lastSeq,
        kind,
        errorType,
      )
      const bytes = utf8Bytes(errorType)
      if (rowsWritten > 0 || room.types === 0 || room.bytes < bytes) continue
      this.#storage.sql.exec(
        'insert into entry_group (kind, error_type, count, first_seq, last_seq) values (?, ?, ?, ?, ?)',
        kind,
        errorType,
        count,
        firstSeq,
        lastSeq,
      )
      room = { types: room.types - 1, bytes: room.bytes - bytes }
    }
  }

  /** How many more types may be kept, and their bytes. */
  #room(kind: EntryKind): { types: number; bytes: number } {
    const { types, bytes } = this.#storage.sql
      .exec<{ types: number; bytes: number }>(
        `select count(*) as types, coalesce(sum(octet_length(error_type)), 0) as bytes from entry_group where kind = ?`,
        kind,
      )
      .one()
    return { types: MAX_ERROR_TYPES - types, bytes: MAX_ERROR_TYPE_BYTES - bytes }
  }
}

const RANKING = '(order by count desc, error_type)'

type Row = Record<string, SqlStorageValue>
