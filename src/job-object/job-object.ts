import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { applyReport } from '../jobs/apply-report.ts'
import { cancelJob } from '../jobs/cancel-job.ts'
import { createJob } from '../jobs/create-job.ts'
import { noteAttempt } from '../jobs/delivery.ts'
import { type EntryPage, nextPlace } from '../jobs/entry-page.ts'
import type { JobKey } from '../jobs/job.ts'
import type { NewJob, Report } from '../jobs/report.ts'
import type { Retry } from '../jobs/retry.ts'
import { stallDue, stallJob } from '../jobs/stall-job.ts'
import { logTrouble, ofJob } from '../log.ts'
import { openStore, type Store } from '../store/store.ts'
import { deliver } from './deliver.ts'
import { type Held, JobKeeper } from './job-keeper.ts'
import {
  type EntriesReply,
  type GroupsReply,
  type JobRefusal,
  type JobReply,
  shown,
  type WatchReply,
} from './replies.ts'
import { archiveDue, nextDue, RECORD_DELAY } from './schedule.ts'
import { timeout } from './timeout.ts'
import { Watchers } from './watchers.ts'

/** How long a create waits for D1 to say whether its key has made a job before, in ms. */
const CREATE_PATIENCE = 2_000
const DAY = 24 * 60 * 60 * 1_000
/** Alarms that fail are logged once in this many ms. */
const LOG_INTERVAL = 60_000

/**
 * One job of one organisation, and the only writer of its state. What it has replied is on its own disk (the runtime
 * holds each reply back until then), and what is on its disk reaches D1 soon after.
 */
export class JobObject extends DurableObject<Env> {
  readonly #store: Store
  readonly #keeper: JobKeeper
  readonly #watchers = new Watchers()
  readonly #settings: { archiveAfter: number; retention: number }
  #alarmAt = 0
  #saidAt = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#store = openStore(env.DB)
    this.#settings = { archiveAfter: env.ARCHIVE_AFTER_SECONDS * 1_000, retention: env.RETENTION_DAYS * DAY }
    this.#keeper = new JobKeeper(ctx.storage, this.#store, (held) => {
      this.#armAlarm()
      this.#watchers.show(held.job)
    })
  }

  /** Creates the job. Its id is new, or follows from the retry key: then the job may be there already. */
  async create(key: JobKey, order: NewJob, retry: Retry | null): Promise<JobReply> {
    const { journal } = this.#keeper
    // Where D1 is away or slow, an empty journal counts as no job, and creating goes on; unless there was one in it.
    const isNone = retry === null || (await this.#isNone(key))
    if (this.#keeper.held === undefined) {
      if (!isNone && journal.isEmptied) return { ok: false, reason: 'unavailable' }
      return await this.#keeper.begin(key, createJob(key.jobId, order, Date.now()), retry)
    }
    if (retry === null) throw new Error(`job ${key.jobId} is there already`)
    return await this.#readFrom<JobReply>(key, async ({ archive }) => {
      const replay = await (archive ?? journal.answers).replayOfCreate(retry, Date.now())
      if (archive === undefined && replay?.ok) await this.#keeper.untilRecorded(replay.job)
      // Past its time the key still names this job, which is not to be made anew.
      return replay ?? { ok: false, reason: 'retry_key_reused' }
    })
  }

  /** Whether it is certain that there is no such job, as far as D1 tells in time. */
  async #isNone(key: JobKey): Promise<boolean> {
    const deadline = timeout(CREATE_PATIENCE)
    const found = await Promise.race([this.#keeper.find(key), deadline.over]).finally(deadline.cancel)
    return found !== false && !found.ok && found.reason === 'not_found'
  }

  /** Applies one report, whole or not at all; with a retry key, once. */
  report(key: JobKey, report: Report, retry: Retry | null): Promise<JobReply> {
    return this.#keeper.change(
      key,
      (job, now, standingOf) => applyReport(job, report, now, standingOf),
      retry,
    )
  }

  /** Cancels the job. Its worker learns of it by its next report. */
  cancel(key: JobKey, reason: string | null): Promise<JobReply> {
    return this.#keeper.change(key, (job, now) => cancelJob(job, reason, now), null)
  }

  /** The job as last acknowledged, also while D1 is behind. */
  async read(key: JobKey): Promise<JobReply> {
    const found = await this.#keeper.find(key)
    return found.ok ? shown(found.held, Date.now()) : found
  }

  /** One page of the job's entries. */
  entries(key: JobKey, page: EntryPage): Promise<EntriesReply | JobRefusal> {
    return this.#readFrom(key, async ({ job, archive = this.#keeper.journal.entries }) => {
      const found = await archive.page(page)
      return { ok: true, texts: found.map(({ text }) => text), next: nextPlace(page, found, job) }
    })
  }

  /** The job's entries by their error types. */
  groups(key: JobKey): Promise<GroupsReply | JobRefusal> {
    return this.#readFrom(key, async ({ job, archive = this.#keeper.journal.entries }) => ({
      ok: true,
      error: await archive.groups('error', job.keptErrors),
      warning: await archive.groups('warning', job.keptWarnings),
    }))
  }

  /** The job's states as server-sent events, from now on to its end; `seen` is the revision that the watcher has. */
  async watch(key: JobKey, seen: number | null): Promise<WatchReply | JobRefusal> {
    const found = await this.#keeper.find(key)
    return found.ok ? { ok: true, events: this.#watchers.add(found.held.job, seen) } : found
  }

  async #readFrom<Reply>(key: JobKey, read: (held: Held) => Promise<Reply>): Promise<Reply | JobRefusal> {
    const found = await this.#keeper.find(key)
    if (!found.ok) return found
    try {
      return await read(found.held)
    } catch (error) {
      logTrouble('job_not_read', ofJob(key), error)
      return { ok: false, reason: 'unavailable' }
    }
  }

  /** Does what is due: see `nextDue`. */
  override async alarm(): Promise<void> {
    this.#alarmAt = 0
    const { held } = this.#keeper
    if (held === undefined || held.archive !== undefined)
      return await this.#keeper.journal.clearSign(Date.now())
    // It re-arms itself and never throws: the runtime tries an alarm again six times only, and D1 may be away longer.
    const done = await this.#doWhatIsDue(held).catch((error) => {
      this.#sayNowAndThen('alarm_failed', held, error)
      return false
    })
    this.#armAlarm(done ? 0 : RECORD_DELAY)
  }

  async #doWhatIsDue(held: Held): Promise<boolean> {
    const { key, job } = held
    const now = Date.now()
    // What the journal does not take stays due: it is tried again later, and not at once and for ever.
    if (isDue(stallDue(job), now) && !(await this.#keeper.change(key, stallJob, null)).ok) return false
    if (isDue(job.nextDeliveryAt, now)) {
      const attempt = await deliver(this.#store, held, now)
      const noted = await this.#keeper.change(key, (current) => noteAttempt(current, attempt), null)
      if (!noted.ok) return false
    }
    if (!(await this.#keeper.record())) return false
    const mayLeave = isDue(archiveDue((this.#keeper.held ?? held).job, this.#settings), now)
    if (!mayLeave) return true
    const { retention } = this.#settings
    return await this.#keeper.archive(retention === 0 ? null : now + retention)
  }

  /** What fails at each alarm, D1 being away, is said once in a while only. */
  #sayNowAndThen(event: string, { key }: Held, error: unknown): void {
    if (Date.now() - this.#saidAt < LOG_INTERVAL) return
    this.#saidAt = Date.now()
    logTrouble(event, ofJob(key), error)
  }

  /** Sets the alarm, unless it comes in time already. What is due sooner than `delay` ms from now waits until then. */
  #armAlarm(delay = 0): void {
    const { held } = this.#keeper
    if (held === undefined || held.archive !== undefined) return
    const now = Date.now()
    const due = nextDue(held.job, held.recorded, this.#settings, now)
    if (due === undefined || (this.#alarmAt > now && this.#alarmAt <= due)) return
    this.#alarmAt = Math.max(due, now + delay)
    // Not awaited: it is part of the same commit as the writes before it, and the reply waits for that.
    void this.ctx.storage.setAlarm(this.#alarmAt)
  }
}

function isDue(time: number | null | undefined, now: number): boolean {
  return time !== null && time !== undefined && time <= now
}
