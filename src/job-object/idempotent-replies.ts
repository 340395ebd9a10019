import type { IdempotentReply } from '../jobs/keyed-request.ts'
import { MAX_REPLIES, MAX_REPLY_BYTES } from '../jobs/limits.ts'
import { upgradeJob } from '../jobs/upgrade-job.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'

/**
 * What the newest keyed reports were answered, in a ring of slots, so that each costs one row written, whatever the job's
 * age. Their bytes are bounded too: the oldest forget the job that they showed, but never that they were applied. In
 * memory there are the keys and sizes only, to find a slot by.
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
  /** No reply before this one shows a job any more. */
  #oldestShown = 0

  /** Reads the keys. Its table must be there. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
    // The oldest first: a key whose time was over may stand there twice, and the newer one counts.
    const rows = sql.exec<{ n: number; key: string; bytes: number }>(
      'select n, request_key as key, coalesce(octet_length(job), 0) as bytes from reply order by n',
    )
    for (const { n, key, bytes } of rows) this.#place(n, key, bytes)
  }

  /** The reply to an earlier request of this key, as far back as they are kept. */
  find(requestKey: string): IdempotentReply | undefined {
    const slot = this.#slotOf.get(requestKey)
    if (slot === undefined) return undefined
    return toReply(this.#sql.exec<ReplyRow>(`${SELECT} where slot = ?`, slot).one())
  }

  /** Keeps a reply, in the place of the oldest. Where its transaction fails, the keys are to be read anew. */
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

  /** How many were given in all, those that are not kept any more among them. */
  get total(): number {
    return this.#next
  }

  /** How many are kept that were given after `since`, in ms since the epoch. */
  count(since: number): number {
    return this.#sql.exec<{ n: number }>('select count(*) as n from reply where as_of > ?', since).one().n
  }

  /** Some that were given after `since`, from the `from`th on: those that together take so many bytes, and one at least. */
  page(since: number, from: number, mostBytes: number): { replies: IdempotentReply[]; next: number | null } {
    const rows = this.#sql.exec<ReplyRow & { n: number }>(
      `${SELECT} where n >= ? and as_of > ? order by n`,
      from,
      since,
    )
    const replies: IdempotentReply[] = []
    let bytes = 0
    for (const row of rows) {
      bytes += utf8Bytes(row.job ?? '') + row.request_key.length
      if (bytes > mostBytes && replies.length > 0) return { replies, next: row.n }
      replies.push(toReply(row))
    }
    return { replies, next: null }
  }

  #place(n: number, key: string, bytes: number): void {
    const slot = n % MAX_REPLIES
    const replaced = this.#slots[slot]
    // A key whose time was over may stand in a newer slot by now: that one stays.
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
