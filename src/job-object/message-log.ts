import { MAX_LOG_LINES } from '../jobs/limits.ts'
import { type LogLine, newestLines } from '../jobs/log-line.ts'

/** The newest messages of the job, in a ring of slots: a report with a message writes one row more, however old the job is. */
export class MessageLog {
  static readonly tables = `
    create table if not exists message (
      slot integer primary key, seq integer not null, at integer not null, revision integer not null, text text not null
    );`

  readonly #sql: SqlStorage
  #lastSeq: number
  #lastRevision: number

  /** Its table must exist. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
    const { seq, revision } = sql
      .exec<{ seq: number; revision: number }>(
        'select coalesce(max(seq), 0) as seq, coalesce(max(revision), 0) as revision from message',
      )
      .one()
    this.#lastSeq = seq
    this.#lastRevision = revision
  }

  /** Adds a message. If its transaction fails, this object must be made anew. */
  append(text: string, at: number, revision: number): void {
    this.#write({ seq: this.#lastSeq + 1, at, revision, text })
  }

  /** Takes over the messages that D1 has of the job. */
  restore(lines: LogLine[]): void {
    for (const line of lines) this.#write(line)
  }

  /** The messages that came with a revision after this one, as many as are kept, oldest first. */
  after(revision: number): LogLine[] {
    if (revision >= this.#lastRevision) return []
    return newestLines(
      this.#sql
        .exec<LogLine & Record<string, SqlStorageValue>>(
          'select seq, at, revision, text from message where revision > ? order by seq',
          revision,
        )
        .toArray(),
    )
  }

  #write({ seq, at, revision, text }: LogLine): void {
    this.#sql.exec(
      'insert or replace into message (slot, seq, at, revision, text) values (?, ?, ?, ?, ?)',
      seq % MAX_LOG_LINES,
      seq,
      at,
      revision,
      text,
    )
    this.#lastSeq = seq
    this.#lastRevision = revision
  }
}
