import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { applyReport } from '../jobs/apply-report.ts'
import { createJob } from '../jobs/create-job.ts'
import { type EntryKind, isFinished, type Job, type JobKey, type JobSnapshot } from '../jobs/job.ts'
import type { NewJob, Report } from '../jobs/report.ts'
import { RETRY_WINDOW, type Retry } from '../jobs/retry.ts'
import { type JobRecord, recordJob } from '../store/record-job.ts'
import { openStore, type Store } from '../store/store.ts'
import { adoptJob } from './adopt-job.ts'
import { Archive } from './archive.ts'
import { GroupCommit } from './group-commit.ts'
import { Journal, type Journaled, NOTHING_RECORDED, withNewest } from './journal.ts'
import { Recorder } from './recorder.ts'
import { type EntriesReply, type JobReply, shown } from './replies.ts'
import { archiveDue, nextDue, RECORD_DELAY, type ScheduleSettings } from './schedule.ts'

/** How long a change of status waits for D1 to have it, in ms; then the reply goes out all the same. */
const STATUS_PATIENCE = 2_000

/** The job as the journal holds it, or, with `archive`, as D1 does: then it is finished, and the journal empty. */
type Held = Journaled & { archive?: Archive }
type Found = { ok: true; held: Held } | { ok: false; reason: 'not_found' | 'unavailable' }

interface Command {
  report: Report
  retry: Retry | null
}

/**
 * One job of one organisation, and the only writer of its state. What it has replied is on its own disk (the runtime
 * holds each reply back until then), and what is on its disk reaches D1 soon after.
 */
export class JobObject extends DurableObject<Env> {
  readonly #journal: Journal
  readonly #store: Store
  readonly #recorder: Recorder<JobRecord>
  readonly #settings: ScheduleSettings
  readonly #commands = new GroupCommit<Command, JobReply>((commands) => this.#commit(commands))
  #held: Held | undefined
  #loading: Promise<void> | undefined
  #alarmAt = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#journal = new Journal(ctx.storage)
    this.#store = openStore(env.DB)
    this.#settings = { archiveAfter: env.ARCHIVE_AFTER_SECONDS * 1_000 }
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

  /** Creates the job. Its id is new, or follows from the retry key: then the job may be there already. */
  async create(key: JobKey, order: NewJob, retry: Retry | null): Promise<JobReply> {
    // Where D1 is away, an empty journal counts as no job: creating goes on.
    if (retry !== null) await this.#find(key)
    if (this.#held !== undefined) return await this.#createAgain(this.#held, retry)

    const job = createJob(key.jobId, order, Date.now())
    this.#journal.transaction(() => {
      this.#journal.saveJob(key, job)
      if (retry !== null) this.#journal.keepAnswerToCreate({ retry, asOf: job.createdAt, job })
    })
    this.#hold({ key, job, errors: [], warnings: [], recorded: NOTHING_RECORDED })
    await this.#recordStatus(job)
    return shown({ job, errors: [], warnings: [] }, job.createdAt)
  }

  /** Applies one report, whole or not at all; with a retry key, once. */
  async report(key: JobKey, report: Report, retry: Retry | null): Promise<JobReply> {
    const found = await this.#find(key)
    if (!found.ok) return found
    const { held } = found
    try {
      if (held.archive !== undefined) return await held.archive.report(held, report, retry, Date.now())
      const reply = await this.#commands.add({ report, retry })
      if (reply.ok && reply.job.status !== held.job.status) await this.#recordStatus(reply.job)
      return reply
    } catch (error) {
      console.error('a report could not be kept', key, error)
      return { ok: false, reason: 'unavailable' }
    }
  }

  /** The job as last acknowledged, also while D1 is behind. */
  async read(key: JobKey): Promise<JobReply> {
    const found = await this.#find(key)
    if (!found.ok) return found
    return shown(found.held, Date.now())
  }

  /** The entries of one kind after the `after`th, oldest first, at most `limit`. */
  async entries(key: JobKey, kind: EntryKind, after: number, limit: number): Promise<EntriesReply> {
    const found = await this.#find(key)
    if (!found.ok) return found
    try {
      const entries = await (found.held.archive ?? this.#journal).page(kind, after, limit)
      const last = entries.at(-1)?.seq ?? after
      const { keptErrors, keptWarnings } = found.held.job
      const hasMore = last < (kind === 'error' ? keptErrors : keptWarnings)
      return { ok: true, texts: entries.map(({ text }) => text), next: hasMore ? last : null }
    } catch (error) {
      console.error('the entries of a job could not be read', key, error)
      return { ok: false, reason: 'unavailable' }
    }
  }

  /** Does what is due: brings D1 what no timer in memory lived to bring, empties the object once it may. */
  override async alarm(): Promise<void> {
    this.#alarmAt = 0
    if (this.#held === undefined || this.#held.archive !== undefined) return
    // It re-arms itself and never throws: the runtime tries an alarm again six times only, and D1 may be away longer.
    const recorded = await this.#recorder.now()
    const archived = recorded && (await this.#archive(this.#held))
    if (!archived) this.#armAlarm(recorded ? 0 : RECORD_DELAY)
  }

  /** Commits a group of commands: one transaction, so that memory is never ahead of the disk, nor the disk of memory. */
  #commit(commands: Command[]): JobReply[] {
    const held = this.#job()
    const now = Date.now()
    let snapshot: JobSnapshot = held
    const replies = this.#journal.transaction(() => {
      const replies = commands.map(({ report, retry }): JobReply => {
        const replay = retry === null ? undefined : this.#journal.replay(retry, now)
        if (replay !== undefined) return replay
        const { job, errors, warnings } = snapshot
        const outcome = applyReport(job, report, now, (type, key) => this.#journal.standingOf(type, key))
        if (!outcome.ok) return outcome
        if (outcome.job !== job) {
          this.#journal.append(outcome.entries, outcome.standings)
          if (retry !== null) this.#journal.keepAnswer({ retry, asOf: now, job: outcome.job })
          snapshot = {
            job: outcome.job,
            errors: withNewest(errors, outcome.entries, 'error'),
            warnings: withNewest(warnings, outcome.entries, 'warning'),
          }
        }
        return shown(snapshot, now)
      })
      if (snapshot.job !== held.job) this.#journal.saveJob(held.key, snapshot.job)
      return replies
    })
    if (snapshot.job !== held.job) this.#hold({ ...held, ...snapshot })
    return replies
  }

  /** A create for a job that is there: the answer to the first one, where this is its retry. */
  async #createAgain(held: Held, retry: Retry | null): Promise<JobReply> {
    if (retry === null) throw new Error(`job ${held.key.jobId} is there already`)
    const replay =
      held.archive === undefined
        ? this.#journal.replayOfCreate(retry, Date.now())
        : await held.archive.replay(retry, Date.now())
    // Past its time the key still names this job, which is not to be made anew.
    return replay ?? { ok: false, reason: 'retry_key_reused' }
  }

  /** Takes up a new state of the job: from here on D1 is behind. */
  #hold(held: Held): void {
    this.#held = held
    this.#armAlarm()
    this.#recorder.soon()
  }

  /** Sets the alarm, unless it comes in time already. What is due sooner than `delay` ms from now waits until then. */
  #armAlarm(delay = 0): void {
    const now = Date.now()
    const due = this.#held && nextDue(this.#held.job, this.#held.recorded, this.#settings, now)
    if (due === undefined || (this.#alarmAt > now && this.#alarmAt <= due)) return
    this.#alarmAt = Math.max(due, now + delay)
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

  /** The journal is empty: D1 has the job, or there is none. */
  async #load(key: JobKey): Promise<void> {
    const archive = new Archive(this.#store, key)
    const found = await archive.load()
    if (found === undefined || this.#held !== undefined) return
    if (isFinished(found.job.status)) {
      this.#held = { ...found, archive }
    } else {
      await adoptJob(this.#journal, archive, found)
      this.#held = found
    }
  }

  /** Empties the object of a finished job whose time here is over. False where that is not so, or D1 lacks something. */
  async #archive(held: Held): Promise<boolean> {
    const now = Date.now()
    if ((archiveDue(held.job, this.#settings) ?? Number.POSITIVE_INFINITY) > now) return false
    const archive = new Archive(this.#store, held.key)
    try {
      if (!(await archive.take(held, this.#journal.answersSince(now - RETRY_WINDOW)))) return false
    } catch (error) {
      console.error('D1 did not take a job into its archive', held.key, error)
      return false
    }
    this.#held = { ...held, archive }
    await this.#journal.clear()
    return true
  }

  async #recordStatus(job: Job): Promise<void> {
    await this.#recorder.until(() => this.#job().recorded.revision >= job.revision, STATUS_PATIENCE)
  }

  #lacking({ key, job, recorded }: Held): JobRecord {
    return {
      key,
      job,
      ...this.#journal.entriesBeyond(recorded),
      onlyProgress: recorded.status === job.status,
    }
  }

  #written(held: Held, { job, entries, unfinished }: JobRecord): void {
    const recorded = { ...held.recorded }
    for (const { kind, seq } of entries) recorded[kind] = Math.max(recorded[kind], seq)
    if (!unfinished) Object.assign(recorded, { revision: job.revision, status: job.status })
    this.#journal.saveRecorded(recorded)
    this.#held = { ...held, recorded }
  }

  #job(): Held {
    if (this.#held === undefined) throw new Error('no job is held')
    return this.#held
  }
}
