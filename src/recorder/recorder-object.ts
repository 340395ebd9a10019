import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { nameOf } from '../jobs/job.ts'
import { jobFields, logErrorThrottled } from '../log.ts'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'
import { databaseOf } from '../store/databases.ts'
import type { PackedRecord, Recording } from '../store/record-jobs.ts'
import { openStore, type Store } from '../store/store.ts'
import { within } from '../within.ts'
import { MIN_BATCH_INTERVAL, Pace } from './pace.ts'
import { PendingRecords } from './pending-records.ts'
import { writeBatch } from './write-batch.ts'

/** How long a job's records go alone after D1 refused one, in ms; and how many such jobs are remembered. */
const SUSPECT_FOR = 10 * 60_000
const MAX_SUSPECTS = 1_000

/** What became of a record, and when to come again with the next one of that job, in ms. */
export type RecordReply = ({ ok: true; recording: Recording | 'superseded' } | { ok: false }) & {
  again: number
}

/**
 * Stands before a D1 database and writes for all jobs: D1 does one thing at a time. While a batch is under way the next
 * one fills; an idle recorder writes at once. It keeps nothing: the journals of the jobs are the log, their alarms the
 * safety net, so it can be killed at any moment.
 */
export class RecorderObject extends DurableObject<Env> {
  #store: Store | undefined
  readonly #pending = new PendingRecords()
  readonly #pace = new Pace()
  readonly #suspects = new Map<string, Moment>()
  #isRunning = false
  #wake: (() => void) | undefined

  /**
   * Records one state of a job. Resolves once D1 has it or did not take it. Throws only if there is no such database.
   *
   * @param database the same with each call: see `recorderOf`
   */
  async record(record: PackedRecord, database: string): Promise<RecordReply> {
    this.#store ??= openStore(databaseOf(this.env, database))
    const store = this.#store
    const name = nameOf(record.key)
    const result = await new Promise<Recording | 'superseded' | Error>((settle) => {
      const isSuspect = this.#suspects.get(name)?.isWithin(SUSPECT_FOR, Date.now()) ?? false
      if (!this.#pending.add({ record, settle }, isSuspect)) settle(new Error('the recorder has no room'))
      if (this.#pending.isUrgent) this.#wake?.()
      void this.#run(store)
    })
    const again = this.#pace.next(name, Date.now())
    return result instanceof Error ? { ok: false, again } : { ok: true, recording: result, again }
  }

  async #run(store: Store): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    while (!this.#pending.isEmpty) {
      const startedAt = Date.now()
      const batch = this.#pending.take()
      const { refused, failure } = await writeBatch(store, batch)
      if (failure) logErrorThrottled('batch_not_recorded', { records: batch.length }, failure)
      for (const { record } of batch) if (!failure) this.#suspects.delete(nameOf(record.key))
      for (const [{ record }, error] of refused) this.#suspect(record, error)
      // The clock may have been set back meanwhile.
      const rest = Math.min(startedAt + MIN_BATCH_INTERVAL - Date.now(), MIN_BATCH_INTERVAL)
      if (failure) await scheduler.wait(rest)
      else if (!this.#pending.isUrgent) await this.#untilUrgent(rest)
    }
    this.#isRunning = false
  }

  /** Waits until a status waits, but at most `timeout` ms. */
  async #untilUrgent(timeout: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    await within(timeout, promise, undefined)
    this.#wake = undefined
  }

  #suspect(record: PackedRecord, error: Error): void {
    remember(this.#suspects, nameOf(record.key), new Moment(Date.now()), MAX_SUSPECTS)
    logErrorThrottled('record_refused', jobFields(record.key), error)
  }
}
