import { upgradeJob } from '../jobs/job.ts'
import type { IdempotentReply } from '../jobs/keyed-request.ts'
import { MAX_REPLIES, MAX_REPLY_BYTES } from '../jobs/limits.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'

/**
 * The replies to the newest keyed reports, in a ring of slots: each report writes one row, however old the job is.
 * Their bytes are bounded too: the oldest replies drop the job they showed, but the fact that the report was applied
 * stays. Memory holds only the keys and sizes.
 */
export class IdempotentReplies {
  static readonly tables = `
    create table if not exists reply (
      slot integer primary key, n integer not null, request_key text not null, fingerprint text not null,
      as_of integer not null, job text
    );`

  readonly #sql: SqlStorage
  readonly #slotOf = new Map<string, number>()
  readonly #slots: { key: string; bytes: number }[] = []
  #bytes = 0
  #next = 0
  /** Replies before this one no longer hold a job. */
  #oldestShown = 0

  /** Reads the keys. Its table must exist. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
    // Oldest first: a key reused after it expired has two rows, and the newer one counts.
    const rows = sql.exec<{ n: number; key: string; bytes: number }>(
      'select n, request_key as key, coalesce(octet_length(job), 0) as bytes from reply order by n',
    )
    for (const { n, key, bytes } of rows) this.#place(n, key, bytes)
  }

  /** The reply to an earlier request with this key; undefined if there is none, or it is no longer kept. */
  find(requestKey: string): IdempotentReply | undefined {
    const slot = this.#slotOf.get(requestKey)
    if (slot === undefined) return undefined
    return toReply(this.#sql.exec<ReplyRow>(`${SELECT} where slot = ?`, slot).one())
  }

  /** Keeps a reply in the slot of the oldest. If its transaction fails, this object must be made anew. */
  keep({ request, asOf, job }: IdempotentReply): void {
    const n = this.#next
    const text = job === null ? null : JSON.stringify(job)
    this.#sql.exec(
      'insert or replace into reply (slot, n, request_key, fingerprint, as_of, job) values (?, ?, ?, ?, ?, ?)',
      n % MAX_REPLIES,
      n,
      request.key,
      request.fingerprint,
      asOf,
      text,
    )
    this.#place(n, request.key, text === null ? 0 : utf8Bytes(text))
    while (this.#bytes > MAX_REPLY_BYTES) this.#forgetOldest()
  }

  /** How many replies were ever given, including those no longer kept. */
  get total(): number {
    return this.#next
  }

  /** How many kept replies were given after `since`, in ms since the epoch. */
  count(since: number): number {
    return this.#sql.exec<{ n: number }>('select count(*) as n from reply where as_of > ?', since).one().n
  }

  /** Replies given after `since`, starting with number `from`: at most `maxBytes` of them, but at least one. */
  page(since: number, from: number, maxBytes: number): { replies: IdempotentReply[]; next: number | null } {
    const rows = this.#sql.exec<ReplyRow & { n: number }>(
      `${SELECT} where n >= ? and as_of > ? order by n`,
      from,
      since,
    )
    const replies: IdempotentReply[] = []
    let bytes = 0
    for (const row of rows) {
      bytes += utf8Bytes(row.job ?? '') + row.request_key.length
      if (bytes > maxBytes && replies.length > 0) return { replies, next: row.n }
      replies.push(toReply(row))
    }
    return { replies, next: null }
  }

  #place(n: number, key: string, bytes: number): void {
    const slot = n % MAX_REPLIES
    const replaced = this.#slots[slot]
    // A key reused after it expired has a newer slot by now, which stays.
    if (replaced !== undefined && this.#slotOf.get(replaced.key) === slot) this.#slotOf.delete(replaced.key)
    this.#bytes += bytes - (replaced?.bytes ?? 0)
    this.#slots[slot] = { key, bytes }
    this.#slotOf.set(key, slot)
    this.#next = Math.max(this.#next, n + 1)
  }

  #forgetOldest(): void {
    this.#oldestShown = Math.max(this.#oldestShown, this.#next - MAX_REPLIES)
    const slot = this.#oldestShown++ % MAX_REPLIES
    const oldest = this.#slots[slot]
    if (oldest === undefined || oldest.bytes === 0) return
    this.#sql.exec('update reply set job = null where slot = ?', slot)
    this.#bytes -= oldest.bytes
    oldest.bytes = 0
  }
}

const SELECT = 'select n, request_key, fingerprint, as_of, job from reply'

type ReplyRow = { request_key: string; fingerprint: string; as_of: number; job: string | null }

function toReply(row: ReplyRow): IdempotentReply {
  return {
    request: { key: row.request_key, fingerprint: row.fingerprint },
    asOf: row.as_of,
    job: row.job === null ? null : upgradeJob(JSON.parse(row.job)),
  }
}
