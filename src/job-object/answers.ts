import type { Job } from '../jobs/job.ts'
import { type Answer, judgeRetry, MAX_ANSWERS, type Retry } from '../jobs/retry.ts'
import type { EntryLog } from './entry-log.ts'
import { type JobReply, shownAgain } from './replies.ts'

const TO_CREATE = 'answer-to-create'

/**
 * What keyed requests were answered: that which created the job, and the newest thousand reports, in a ring of slots, so
 * that each costs one row written, whatever the job's age. In memory there are the keys only, to find a slot by.
 */
export class Answers {
  static readonly tables = `
    create table if not exists answer (
      slot integer primary key, n integer not null, retry_key text not null, fingerprint text not null,
      as_of integer not null, job text not null
    );`

  readonly #storage: DurableObjectStorage
  readonly #entries: EntryLog
  readonly #slots = new Map<string, number>()
  readonly #keys: string[] = []
  #next = 0

  /** Reads the keys. Its tables must be there. */
  constructor(storage: DurableObjectStorage, entries: EntryLog) {
    this.#storage = storage
    this.#entries = entries
    // The oldest first: a key whose time was over may stand there twice, and the newer one counts.
    const rows = storage.sql.exec<{ n: number; retry_key: string }>(
      'select n, retry_key from answer order by n',
    )
    for (const { n, retry_key } of rows) this.#place(n, retry_key)
  }

  /** The answer that was given to a report of this key before; undefined where there was none. `now` is in ms. */
  replay(retry: Retry, now: number): JobReply | undefined {
    return this.#again(this.#find(retry.key), retry, now)
  }

  /** The same of the request that created the job. */
  replayOfCreate(retry: Retry, now: number): JobReply | undefined {
    return this.#again(this.#storage.kv.get<Answer>(TO_CREATE), retry, now)
  }

  /** Keeps an answer, in the place of the oldest. Where its transaction fails, the keys are to be read anew. */
  keep({ retry, asOf, job }: Answer): void {
    const n = this.#next
    this.#storage.sql.exec(
      'insert or replace into answer (slot, n, retry_key, fingerprint, as_of, job) values (?, ?, ?, ?, ?, ?)',
      n % MAX_ANSWERS,
      n,
      retry.key,
      retry.fingerprint,
      asOf,
      JSON.stringify(job),
    )
    this.#place(n, retry.key)
  }

  /** Whether the job's id follows from a key, so that the request that created it may come again. */
  get hasToCreate(): boolean {
    return this.#storage.kv.get(TO_CREATE) !== undefined
  }

  keepToCreate(answer: Answer): void {
    this.#storage.kv.put(TO_CREATE, answer)
  }

  /** All that were given after `since`, in ms since the epoch, and the one to the create. */
  since(since: number): Answer[] {
    const toCreate = this.#storage.kv.get<Answer>(TO_CREATE)
    const rows = this.#storage.sql.exec<AnswerRow>(`${SELECT} where as_of > ?`, since).toArray()
    return [...(toCreate !== undefined && toCreate.asOf > since ? [toCreate] : []), ...rows.map(toAnswer)]
  }

  #again(earlier: Answer | undefined, retry: Retry, now: number): JobReply | undefined {
    const verdict = judgeRetry(earlier, retry, now)
    if (verdict === 'reused') return { ok: false, reason: 'retry_key_reused' }
    if (earlier === undefined || verdict === 'new') return undefined
    const { keptErrors, keptWarnings } = earlier.job
    return shownAgain(
      earlier,
      this.#entries.recent('error', keptErrors),
      this.#entries.recent('warning', keptWarnings),
    )
  }

  #find(retryKey: string): Answer | undefined {
    const slot = this.#slots.get(retryKey)
    if (slot === undefined) return undefined
    return toAnswer(this.#storage.sql.exec<AnswerRow>(`${SELECT} where slot = ?`, slot).one())
  }

  #place(n: number, retryKey: string): void {
    const slot = n % MAX_ANSWERS
    const replaced = this.#keys[slot]
    // A key whose time was over may stand in a newer slot by now: that one stays.
    if (replaced !== undefined && this.#slots.get(replaced) === slot) this.#slots.delete(replaced)
    this.#keys[slot] = retryKey
    this.#slots.set(retryKey, slot)
    this.#next = Math.max(this.#next, n + 1)
  }
}

const SELECT = 'select retry_key, fingerprint, as_of, job from answer'

type AnswerRow = { retry_key: string; fingerprint: string; as_of: number; job: string }

function toAnswer(row: AnswerRow): Answer {
  const retry: Retry = { key: row.retry_key, fingerprint: row.fingerprint }
  return { retry, asOf: row.as_of, job: JSON.parse(row.job) as Job }
}
