import type { Job } from '../jobs/job.ts'
import { type Answer, MAX_ANSWERS, type Retry } from '../jobs/retry.ts'

/**
 * What keyed reports were answered: a ring of slots in the object's own storage, so that the newest thousand are kept
 * and each costs one row written, whatever the job's age. In memory there are the keys only, to find a slot by.
 */
export class Answers {
  readonly #sql: SqlStorage
  readonly #slots = new Map<string, number>()
  readonly #keys: string[] = []
  #next = 0

  /** Reads the keys. The table `answer` must be there. */
  constructor(sql: SqlStorage) {
    this.#sql = sql
    for (const { n, retry_key } of sql.exec<{ n: number; retry_key: string }>(
      'select n, retry_key from answer',
    )) {
      this.#place(n, retry_key)
    }
  }

  find(retryKey: string): Answer | undefined {
    const slot = this.#slots.get(retryKey)
    if (slot === undefined) return undefined
    return toAnswer(this.#sql.exec<AnswerRow>(`${SELECT} where slot = ?`, slot).one())
  }

  /** Keeps an answer, in the place of the oldest. Must be undone by reading anew where its transaction fails. */
  keep({ retry, asOf, job }: Answer): void {
    const n = this.#next
    this.#sql.exec(
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

  /** All that were given after `since`, in ms since the epoch. */
  since(since: number): Answer[] {
    return this.#sql.exec<AnswerRow>(`${SELECT} where as_of > ?`, since).toArray().map(toAnswer)
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
