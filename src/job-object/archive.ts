import type { EntryGroup, EntryPage } from '../jobs/entry-page.ts'
import type { Entry, EntryKind, JobKey } from '../jobs/job.ts'
import type { Change } from '../jobs/outcome.ts'
import { type Answer, judgeRetry, type Retry } from '../jobs/retry.ts'
import { countEntries, findEntries, newestEntries } from '../store/find-entries.ts'
import { findJob, findRevision, textsOf } from '../store/find-job.ts'
import { findAnswer, insertAnswers } from '../store/job-answers.ts'
import type { Store } from '../store/store.ts'
import { mostFrequent } from './entry-groups.ts'
import type { Journaled } from './journal.ts'
import { type JobReply, shown, shownAgain } from './replies.ts'

/** One job in D1: what serves it once its object has been emptied. Each call throws where D1 does not answer. */
export class Archive {
  readonly #store: Store
  readonly #key: JobKey

  constructor(store: Store, key: JobKey) {
    this.#store = store
    this.#key = key
  }

  /** The job, all of it recorded; undefined where D1 has none. */
  async load(): Promise<Journaled | undefined> {
    const found = await findJob(this.#store, this.#key)
    if (found === undefined) return undefined
    const { revision, status, keptErrors, keptWarnings } = found.job
    return {
      key: this.#key,
      ...found,
      recorded: { revision, status, error: keptErrors, warning: keptWarnings },
    }
  }

  page(page: EntryPage): Promise<Entry[]> {
    return findEntries(this.#store, this.#key, page)
  }

  async groups(kind: EntryKind): Promise<EntryGroup[]> {
    return mostFrequent(await countEntries(this.#store, this.#key, kind))
  }

  /** A finished job does not change; it answers what repeats its end, and retries of earlier requests. */
  async change(held: Journaled, change: Change, retry: Retry | null, now: number): Promise<JobReply> {
    const replay = retry === null ? undefined : await this.replay(retry, now)
    if (replay !== undefined) return replay
    const outcome = change(held.job, now, () => 'clean')
    return outcome.ok ? shown(held, now) : outcome
  }

  /** The answer that was given to this key before; undefined where there was none. */
  async replay(retry: Retry, now: number): Promise<JobReply | undefined> {
    const earlier = await findAnswer(this.#store, this.#key, retry.key)
    const verdict = judgeRetry(earlier, retry, now)
    if (verdict === 'reused') return { ok: false, reason: 'retry_key_reused' }
    if (earlier === undefined || verdict === 'new') return undefined
    const { keptErrors, keptWarnings } = earlier.job
    return shownAgain(
      earlier,
      await this.#recent('error', keptErrors),
      await this.#recent('warning', keptWarnings),
    )
  }

  /** The answers to creates and to reports lie together here. */
  replayOfCreate(retry: Retry, now: number): Promise<JobReply | undefined> {
    return this.replay(retry, now)
  }

  /** Takes the answers that a retry may still ask for: the last thing that D1 lacks of a job that it has recorded. */
  take(answers: Answer[]): Promise<void> {
    return insertAnswers(this.#store, this.#key, answers)
  }

  /** The revision that D1 has; 0 where it has no such job. */
  async revision(): Promise<number> {
    return (await findRevision(this.#store, this.#key)) ?? 0
  }

  async #recent(kind: EntryKind, kept: number): Promise<string[]> {
    return kept === 0 ? [] : textsOf(await newestEntries(this.#store, this.#key, kind, kept))
  }
}
