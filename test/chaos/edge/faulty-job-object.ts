import type { Env } from '../../../src/env.ts'
import { JobObject as ProductJobObject } from '../../../src/job-object/job-object.ts'
import { Journal, type Journaled } from '../../../src/job-object/journal.ts'
import { applyReport } from '../../../src/jobs/apply-report.ts'
import { isFinished, type Job, type JobKey, upgradeJob } from '../../../src/jobs/job.ts'
import { databaseOf } from '../../../src/store/databases.ts'
import { findRecorded, isSameState } from '../../../src/store/find-job.ts'
import type { JobRecord } from '../../../src/store/record-jobs.ts'
import { openStore } from '../../../src/store/store.ts'
import type { AgeOutcome, FinalReport, LossOutcome, ObjectState } from '../edge-commands.ts'
import { ageJournal } from './age-journal.ts'
import { translateAlarms } from './moved-clock.ts'

/** The start of an error message that carries the outcome of a fault. */
const OUTCOME_PREFIX = 'the instance ended: '

/** The product's job object, plus the faults that can only be injected from inside. */
export class JobObject extends ProductJobObject {
  /** Tells an instance from its successors. */
  readonly #instance = crypto.randomUUID()

  constructor(ctx: DurableObjectState, env: Env) {
    translateAlarms(ctx.storage)
    super(ctx, env)
  }

  /** Reads the object's storage, and what `database` has of the job. This loads no job from D1. */
  async inspect(database: string): Promise<ObjectState> {
    const { kv, sql } = this.ctx.storage
    const stored = kv.get<{ version?: number; key: JobKey; job: Job }>('job')
    const recorded = stored && (await findRecorded(openStore(databaseOf(this.env, database)), stored.key))
    const answers = sql.exec(`select 1 from sqlite_master where name = 'answer'`).toArray()
    return {
      instance: this.#instance,
      epoch: stored === undefined ? null : (stored.job.epoch ?? 0),
      isBehind: stored !== undefined && !(recorded && isSameState(recorded, upgradeJob(stored.job))),
      isOld: answers.length > 0 || (stored !== undefined && stored.version === undefined),
    }
  }

  /**
   * Deletes the object's storage and memory, if its job is live and all of it is in `database`. With a `finalReport`, the outcome
   * holds the record that the object would have written to D1 next.
   */
  loseStorage(database: string, finalReport: FinalReport | null): Promise<LossOutcome> {
    return this.#endBy(async () => {
      const journaled = new Journal(this.ctx.storage).load()
      if (journaled === undefined || isFinished(journaled.job.status))
        return { ok: false, reason: 'not_live' }
      if ((await this.inspect(database)).isBehind) return { ok: false, reason: 'behind' }
      const record = finalReport && { ...toRecord(journaled, finalReport) }
      await this.ctx.storage.deleteAll()
      if ((await this.inspect(database)).epoch !== null)
        throw new Error('the storage was deleted but still has a job')
      return { ok: true, instance: this.#instance, record }
    })
  }

  /** Rewrites its storage in the format of version 0.1.0, and ends the instance. */
  ageJournal(): Promise<AgeOutcome> {
    return this.#endBy(async () =>
      ageJournal(this.ctx.storage) ? { ok: true, instance: this.#instance } : { ok: false },
    )
  }

  /** Runs a fault. If it took effect, ends the instance by throwing the outcome: no request can come in between. */
  #endBy<Outcome extends { ok: boolean }>(fault: () => Promise<Outcome>): Promise<Outcome> {
    return this.ctx.blockConcurrencyWhile(async () => {
      const outcome = await fault()
      if (!outcome.ok) return outcome
      await this.ctx.storage.sync()
      throw new Error(`${OUTCOME_PREFIX}${JSON.stringify(outcome)}`)
    })
  }
}

/** Returns the outcome of a fault, even if the fault ended the instance. */
export async function catchOutcome<Outcome>(fault: Promise<Outcome>): Promise<Outcome> {
  try {
    return await fault
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    if (!message.includes(OUTCOME_PREFIX)) throw error
    return JSON.parse(message.slice(message.indexOf(OUTCOME_PREFIX) + OUTCOME_PREFIX.length)) as Outcome
  }
}

/** The record of the instance's final report. Lost reports before it account for the gap in the revisions. */
function toRecord({ key, job }: Journaled, { worker, errors, revisions }: FinalReport): JobRecord {
  const report = {
    processedItems: 1,
    metadataPatch: { [worker]: 1 },
    errors: errors.map((entityKey) => ({
      entityKey,
      entityType: 'row',
      errorType: 'chaos',
      message: 'from a dead instance',
      step: null,
      details: null,
    })),
  }
  const outcome = applyReport(job, report, Date.now(), () => 'clean', Number.POSITIVE_INFINITY)
  if (!outcome.ok) throw new Error(`the final report was refused: ${outcome.reason}`)
  return {
    key,
    job: { ...outcome.job, revision: job.revision + revisions },
    entries: outcome.entries,
    unfinished: false,
    onlyProgress: true,
  }
}
