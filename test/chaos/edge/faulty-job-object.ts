import type { Env } from '../../../src/env.ts'
import { JobObject as ProductJobObject } from '../../../src/job-object/job-object.ts'
import { Journal, type Journaled } from '../../../src/job-object/journal.ts'
import { applyReport } from '../../../src/jobs/apply-report.ts'
import { isFinished } from '../../../src/jobs/job.ts'
import type { JobRecord } from '../../../src/store/record-job.ts'
import type { AgeOutcome, LastWords, LossOutcome, Sight } from '../orders.ts'
import { ageJournal } from './age-journal.ts'
import { translateAlarms } from './moved-clock.ts'

/** What an error begins with that carries the outcome of a fault. */
const LAST_WORD = 'the instance ended: '

/** The product's object, with the faults that can only be injected from inside. */
export class JobObject extends ProductJobObject {
  /** Tells an instance from its successors. */
  readonly #instance = crypto.randomUUID()

  constructor(ctx: DurableObjectState, env: Env) {
    translateAlarms(ctx.storage)
    super(ctx, env)
  }

  /** What is in its storage. Asking loads no job from D1. */
  look(): Sight {
    const { kv, sql } = this.ctx.storage
    const stored = kv.get<{ version?: number; job: { epoch?: number; revision: number } }>('job')
    const recorded = kv.get<{ revision: number }>('recorded')
    const answers = sql.exec(`select 1 from sqlite_master where name = 'answer'`).toArray()
    return {
      instance: this.#instance,
      epoch: stored === undefined ? null : (stored.job.epoch ?? 0),
      isBehind: stored !== undefined && (recorded?.revision ?? 0) < stored.job.revision,
      isOld: answers.length > 0 || (stored !== undefined && stored.version === undefined),
    }
  }

  /**
   * Loses its storage and its memory, provided that its job is live and D1 has it whole. With `lastWords`, the outcome
   * holds what it would have written to D1 next.
   */
  loseStorage(lastWords: LastWords | null): Promise<LossOutcome> {
    return this.#endBy(async () => {
      const journaled = new Journal(this.ctx.storage).load()
      if (journaled === undefined || isFinished(journaled.job.status))
        return { ok: false, reason: 'not_live' }
      if (journaled.recorded.revision < journaled.job.revision) return { ok: false, reason: 'behind' }
      const record = lastWords && { ...toRecord(journaled, lastWords) }
      await this.ctx.storage.deleteAll()
      if (this.look().epoch !== null) throw new Error('the storage was deleted, and yet there is a job in it')
      return { ok: true, instance: this.#instance, record }
    })
  }

  /** Puts its storage into the form of version 0.1.0, and leaves memory. */
  ageJournal(): Promise<AgeOutcome> {
    return this.#endBy(async () =>
      ageJournal(this.ctx.storage) ? { ok: true, instance: this.#instance } : { ok: false },
    )
  }

  /** Runs a fault and, if it was injected, ends the instance by throwing the outcome: nothing comes in between. */
  #endBy<Outcome extends { ok: boolean }>(fault: () => Promise<Outcome>): Promise<Outcome> {
    return this.ctx.blockConcurrencyWhile(async () => {
      const outcome = await fault()
      if (!outcome.ok) return outcome
      await this.ctx.storage.sync()
      throw new Error(`${LAST_WORD}${JSON.stringify(outcome)}`)
    })
  }
}

/** The outcome of a fault, even if the instance died of it. */
export async function outlive<Outcome>(fault: Promise<Outcome>): Promise<Outcome> {
  try {
    return await fault
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    if (!said.includes(LAST_WORD)) throw error
    return JSON.parse(said.slice(said.indexOf(LAST_WORD) + LAST_WORD.length)) as Outcome
  }
}

/** The record of a report that the instance applied last, after others that are lost: hence the gap in the revisions. */
function toRecord({ key, job }: Journaled, { worker, errors, revisions }: LastWords): JobRecord {
  const report = {
    processedItems: 1,
    metadataPatch: { [worker]: 1 },
    errors: errors.map((entityKey) => ({
      entityKey,
      entityType: 'row',
      errorType: 'chaos',
      message: 'of a dead instance',
      step: null,
      details: null,
    })),
  }
  const outcome = applyReport(job, report, Date.now(), () => 'clean')
  if (!outcome.ok) throw new Error(`the last report was refused: ${outcome.reason}`)
  return {
    key,
    job: { ...outcome.job, revision: job.revision + revisions },
    entries: outcome.entries,
    unfinished: false,
    onlyProgress: true,
  }
}
