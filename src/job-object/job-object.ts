import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { applyReport } from '../jobs/apply-report.ts'
import { createJob } from '../jobs/create-job.ts'
import type { Job, JobKey, JobSnapshot, JobStatus } from '../jobs/job.ts'
import type { NewJob, Report } from '../jobs/report.ts'
import { findJob } from '../store/find-job.ts'
import { type JobRecord, recordJob } from '../store/record-job.ts'
import { openStore, type Store } from '../store/store.ts'
import { GroupCommit } from './group-commit.ts'
import { Journal, type Journaled, NOTHING_RECORDED, newest, RECENT_ENTRIES } from './journal.ts'
import { Recorder } from './recorder.ts'

/** How long a change of status waits for D1 to have it, in ms; then the reply goes out all the same. */
const STATUS_PATIENCE = 2_000
/** How long after a report the alarm looks whether D1 has it, in ms. Setting it costs a row, so it is set rarely. */
const ALARM_DELAY = 30_000

/** What the object answers. Where it throws instead, nothing was acknowledged. */
export type JobReply =
  /** `asOf`: the time at which the job was so, in milliseconds since the epoch. */
  | ({ ok: true; asOf: number } & JobSnapshot)
  | { ok: false; reason: 'not_found' }
  | { ok: false; reason: 'closed'; status: JobStatus }
  | { ok: false; reason: 'metadata_too_large' }
  /** The journal did not take the report, or, while it is empty, D1 cannot tell whether there is such a job. */
  | { ok: false; reason: 'unavailable' }

type Found = { ok: true; held: Journaled } | { ok: false; reason: 'not_found' | 'unavailable' }

/**
 * One job of one organisation, and the only writer of its state. What it has replied is on its own disk (the runtime
 * holds each reply back until then), and what is on its disk reaches D1 soon after.
 */
export class JobObject extends DurableObject<Env> {
  readonly #journal: Journal
  readonly #store: Store
  readonly #recorder: Recorder<JobRecord>
  readonly #reports = new GroupCommit<Report, JobReply>((reports) => this.#apply(reports))
  /** The job: as the journal holds it, or, where that is empty, as D1 does. */
  #held: Journaled | undefined
  #loading: Promise<void> | undefined
  #alarmAt = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#journal = new Journal(ctx.storage)
    this.#store = openStore(env.DB)
    this.#held = this.#journal.load()
    this.#recorder = new Recorder({
      isBehind: () => this.#held !== undefined && this.#held.recorded.revision < this.#held.job.revision,
      lacking: () => this.#lacking(this.#job()),
      write: (record) => recordJob(this.#store, record),
      written: (record) => this.#written(this.#job(), record),
      refused: (error) => console.error('D1 did not take a job', this.#held?.key, error),
    })
    this.#recorder.soon()
  }

  /** Creates the job, which must not exist: ids are unique. */
  async create(key: JobKey, order: NewJob): Promise<JobReply> {
    if (this.#held !== undefined) throw new Error(`job ${key.jobId} exists`)
    const job = createJob(key.jobId, order, Date.now())
    this.#journal.transaction(() => this.#journal.saveJob(key, job))
    this.#hold({ key, job, errors: [], warnings: [], recorded: NOTHING_RECORDED })
    await this.#recordStatus(job)
    return { ok: true, asOf: job.updatedAt, job, errors: [], warnings: [] }
  }

  /** Applies one report, whole or not at all. */
  async report(key: JobKey, report: Report): Promise<JobReply> {
    const found = await this.#find(key)
    if (!found.ok) return found
    const statusBefore = found.held.job.status
    let reply: JobReply
    try {
      reply = await this.#reports.add(report)
    } catch (error) {
      console.error('a report could not be journaled', key, error)
      return { ok: false, reason: 'unavailable' }
    }
    if (reply.ok && reply.job.status !== statusBefore) await this.#recordStatus(reply.job)
    return reply
  }

  /** The job as last acknowledged, also while D1 is behind. */
  async read(key: JobKey): Promise<JobReply> {
    const found = await this.#find(key)
    if (!found.ok) return found
    const { job, errors, warnings } = found.held
    return { ok: true, asOf: Date.now(), job, errors, warnings }
  }

  /** The safety net: brings D1 what no timer in memory lived to bring. */
  override async alarm(): Promise<void> {
    this.#alarmAt = 0
    // Re-armed here and not by throwing: the runtime retries an alarm six times only, and D1 may be away for longer.
    if (!(await this.#recorder.now())) this.#armAlarm()
  }

  /** Commits a group of reports: one transaction, so that memory is never ahead of the disk, nor the disk of memory. */
  #apply(reports: Report[]): JobReply[] {
    const held = this.#job()
    const asOf = Date.now()
    let { job, errors, warnings } = held
    const replies = this.#journal.transaction(() => {
      const replies = reports.map((report): JobReply => {
        const outcome = applyReport(job, report, asOf, (type, key) => this.#journal.standingOf(type, key))
        if (!outcome.ok) return outcome
        this.#journal.append(outcome.entries, outcome.standings)
        job = outcome.job
        errors = newest(errors, outcome.entries, 'error')
        warnings = newest(warnings, outcome.entries, 'warning')
        return { ok: true, asOf, job, errors, warnings }
      })
      if (job !== held.job) this.#journal.saveJob(held.key, job)
      return replies
    })
    if (job !== held.job) this.#hold({ ...held, job, errors, warnings })
    return replies
  }

  #hold(held: Journaled): void {
    this.#held = held
    this.#armAlarm()
    this.#recorder.soon()
  }

  #armAlarm(): void {
    const now = Date.now()
    if (this.#alarmAt > now) return
    this.#alarmAt = now + ALARM_DELAY
    // Not awaited: it is part of the same commit as the writes before it, and the reply waits for that.
    void this.ctx.storage.setAlarm(this.#alarmAt)
  }

  async #find(key: JobKey): Promise<Found> {
    if (this.#held !== undefined) return { ok: true, held: this.#held }
    try {
      this.#loading ??= this.#load(key).finally(() => {
        this.#loading = undefined
      })
      await this.#loading
    } catch (error) {
      console.error('D1 did not answer for a job', key, error)
      return { ok: false, reason: 'unavailable' }
    }
    return this.#held === undefined ? { ok: false, reason: 'not_found' } : { ok: true, held: this.#held }
  }

  /** The journal is empty: D1 has the job in its archive, or there is none. */
  async #load(key: JobKey): Promise<void> {
    const found = await findJob(this.#store, key, RECENT_ENTRIES)
    if (found === undefined) return
    const { revision, status, errorCount, warningCount } = found.job
    const recorded = { revision, status, error: errorCount, warning: warningCount }
    this.#held ??= { key, ...found, recorded }
  }

  async #recordStatus(job: Job): Promise<void> {
    await this.#recorder.until(() => this.#job().recorded.revision >= job.revision, STATUS_PATIENCE)
  }

  #lacking({ key, job, recorded }: Journaled): JobRecord {
    return {
      key,
      job,
      ...this.#journal.entriesBeyond(recorded),
      onlyProgress: recorded.status === job.status,
    }
  }

  #written(held: Journaled, { job, entries, unfinished }: JobRecord): void {
    const recorded = { ...held.recorded }
    for (const { kind, seq } of entries) recorded[kind] = Math.max(recorded[kind], seq)
    if (!unfinished) Object.assign(recorded, { revision: job.revision, status: job.status })
    this.#journal.saveRecorded(recorded)
    this.#held = { ...held, recorded }
  }

  #job(): Journaled {
    if (this.#held === undefined) throw new Error('no job is held')
    return this.#held
  }
}
