import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { applyReport } from '../jobs/apply-report.ts'
import { cancelJob } from '../jobs/cancel-job.ts'
import { createJob } from '../jobs/create-job.ts'
import type { EntryPage } from '../jobs/entry-page.ts'
import type { EntryKind, Job, JobKey } from '../jobs/job.ts'
import { judgeRepeat, type KeyedRequest } from '../jobs/keyed-request.ts'
import type { Change } from '../jobs/outcome.ts'
import type { NewJob, Report } from '../jobs/report.ts'
import { logJobError } from '../log.ts'
import { openStore, type Store } from '../store/store.ts'
import { Alarm } from './alarm.ts'
import { archiveJob } from './archive-job.ts'
import type { ArchivedJob } from './archived-job.ts'
import type { HeldJob } from './held-job.ts'
import { JobHolder } from './job-holder.ts'
import { Journal } from './journal.ts'
import { keptOf, type LiveJob } from './live-job.ts'
import { performDuties } from './perform-duties.ts'
import { Recorder } from './recorder.ts'
import {
  type EntriesReply,
  type GroupsOfKind,
  type GroupsReply,
  type JobRefusal,
  type JobReply,
  show,
  showAgain,
  type WatchReply,
} from './replies.ts'
import { dutiesOf, RECORD_DELAY, type ScheduleSettings } from './schedule.ts'
import { Watchers } from './watchers.ts'

/** How long a change of status waits for D1 to have it, in ms; then the reply goes out all the same. */
const STATUS_PATIENCE = 2_000
/** How long a create waits for D1 to say whether its key has made a job before, in ms. */
const CREATE_PATIENCE = 2_000
const DAY = 24 * 60 * 60 * 1_000
const NO_ENTRIES = { errors: [], warnings: [] }
const UNAVAILABLE: JobRefusal = { ok: false, reason: 'unavailable' }

/**
 * One job of one organization, and the only writer of its state. What it has replied is on its own disk (the runtime
 * holds each reply back until then), and what is on its disk reaches D1 soon after.
 */
export class JobObject extends DurableObject<Env> {
  readonly #store: Store
  readonly #journal: Journal
  readonly #holder: JobHolder
  readonly #recorder: Recorder
  readonly #watchers = new Watchers()
  readonly #alarm: Alarm
  readonly #settings: ScheduleSettings & { retention: number }

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#settings = {
      archiveAfter: env.ARCHIVE_AFTER_SECONDS * 1_000,
      abandonAfterDays: env.ABANDONED_AFTER_DAYS,
      retention: env.RETENTION_DAYS * DAY,
    }
    this.#store = openStore(env.DB)
    this.#alarm = new Alarm(ctx.storage)
    this.#journal = new Journal(ctx.storage)
    this.#holder = new JobHolder(this.#journal, this.#store, (live) => this.#follow(live))
    this.#recorder = new Recorder(this.#store, () => this.#holder.live)
    if (this.#journal.isEmpty) return
    // An alarm may be gone: whoever loads a job sees to it.
    ctx.blockConcurrencyWhile(async () => {
      await this.#alarm.restore()
      this.#setAlarm()
      this.#recorder.soon()
    })
  }

  /** Creates the job. Its id is new, or follows from the key of the request: then the job may be there already. */
  async create(key: JobKey, newJob: NewJob, request: KeyedRequest | null): Promise<JobReply> {
    if (request !== null) {
      const found = await this.#holder.find(key, CREATE_PATIENCE)
      const { held } = this.#holder
      if (held !== undefined) return await this.#repeatCreate(held, newJob, request)
      // While D1 fails, an empty journal counts as no job, so that creating goes on; unless there was one in it. While
      // D1 is silent it may still name one: made anew, the job would cover that.
      if (this.#holder.isLoading) return UNAVAILABLE
      const isCertain = !found.ok && found.reason === 'not_found'
      if (!isCertain && this.#journal.archivedUntil !== undefined) return UNAVAILABLE
    }
    const job = createJob(key.jobId, newJob, Date.now(), request?.fingerprint ?? null)
    return await this.#answering(key, async () => {
      this.#holder.begin(key, job)
      await this.#untilRecorded(job)
      return show(job, NO_ENTRIES, job.createdAt)
    })
  }

  /** Applies one report, whole or not at all; with a keyed request, once. */
  report(key: JobKey, report: Report, request: KeyedRequest | null): Promise<JobReply> {
    return this.#change(key, (job, now, stateOf) => applyReport(job, report, now, stateOf), request)
  }

  /** Cancels the job. Its worker learns of it by its next report. */
  cancel(key: JobKey, reason: string | null): Promise<JobReply> {
    return this.#change(key, (job, now) => cancelJob(job, reason, now), null)
  }

  /** The job as last acknowledged, also while D1 is behind. */
  read(key: JobKey): Promise<JobReply> {
    return this.#withHeld<JobReply>(key, async ({ job, recent }) => show(job, recent, Date.now()))
  }

  /** One page of the job's entries. */
  entries(key: JobKey, page: EntryPage): Promise<EntriesReply | JobRefusal> {
    return this.#withHeld(key, async (held) => {
      const { entries, reached } = await held.entries(page)
      const next = reached < keptOf(held.job)[page.kind] ? reached : null
      return { ok: true, texts: entries.map(({ text }) => text), next }
    })
  }

  /** The job's entries by their error types. */
  groups(key: JobKey): Promise<GroupsReply | JobRefusal> {
    return this.#withHeld(key, async (held) => ({
      ok: true,
      error: await groupsOf(held, 'error'),
      warning: await groupsOf(held, 'warning'),
    }))
  }

  /** The job's states as server-sent events, from now on to its end; `seen` is the revision that the watcher has. */
  watch(key: JobKey, seen: number | null): Promise<WatchReply | JobRefusal> {
    return this.#withHeld(key, async ({ job }) => ({ ok: true, events: this.#watchers.add(job, seen) }))
  }

  /** Performs what is due: see `dutiesOf`. */
  override async alarm(): Promise<void> {
    this.#alarm.noteFired()
    const { live } = this.#holder
    if (live === undefined) return await this.#clearMark()
    const record = () => this.#recorder.now()
    const archive = () => this.#archive(live)
    const means = { store: this.#store, settings: this.#settings, record, archive }
    // It sets itself again and never throws: the runtime tries an alarm again six times only, and D1 may be away longer.
    const isDone = await performDuties(live, means).catch((error) => {
      logJobError('alarm_failed', live.key, error)
      return false
    })
    this.#setAlarm(isDone ? 0 : RECORD_DELAY)
  }

  /** What follows from each new state of the job, once it is journaled. */
  #follow(live: LiveJob): void {
    this.#watchers.show(live.job)
    this.#setAlarm()
    this.#recorder.soon()
  }

  #change(key: JobKey, change: Change, request: KeyedRequest | null): Promise<JobReply> {
    return this.#withHeld<JobReply>(key, async (held) => {
      const { status } = held.job
      const reply = await held.change({ change, request })
      // A repeat waits as well: it may come while the first request still does.
      if (reply.ok && (reply.replayed || reply.job.status !== status)) await this.#untilRecorded(reply.job)
      return reply
    })
  }

  /** What a create is answered whose job is there already: with the same body, the job as it was created. */
  async #repeatCreate(held: HeldJob, newJob: NewJob, request: KeyedRequest): Promise<JobReply> {
    const { jobId, createdAt, createFingerprint } = held.job
    const created = { fingerprint: createFingerprint ?? request.fingerprint, asOf: createdAt }
    switch (judgeRepeat(created, request, Date.now())) {
      case 'key_reused':
        return { ok: false, reason: 'key_reused' }
      case 'expired':
        return { ok: false, reason: 'key_expired', jobId }
      case 'repeated': {
        const job = createJob(jobId, newJob, createdAt, createFingerprint)
        await this.#untilRecorded(job)
        return showAgain(job, NO_ENTRIES, createdAt)
      }
    }
  }

  /** Waits, for a while, until D1 has the job's status, or a later state of it. */
  async #untilRecorded({ status, revision }: Job): Promise<void> {
    const isRecorded = () => {
      const recorded = this.#holder.live?.recorded
      return recorded === undefined || recorded.revision >= revision || recorded.status === status
    }
    await this.#recorder.until(isRecorded, STATUS_PATIENCE)
  }

  async #withHeld<Reply>(key: JobKey, use: (held: HeldJob) => Promise<Reply>): Promise<Reply | JobRefusal> {
    const found = await this.#holder.find(key)
    if (!found.ok) return found.reason === 'not_found' ? { ok: false, reason: 'not_found' } : UNAVAILABLE
    return await this.#answering(key, () => use(found.held))
  }

  /** Where the journal or D1 fails, nothing was done. */
  async #answering<Reply>(key: JobKey, answer: () => Promise<Reply>): Promise<Reply | JobRefusal> {
    try {
      return await answer()
    } catch (error) {
      logJobError('call_failed', key, error)
      return UNAVAILABLE
    }
  }

  /** Has a finished job leave the object for D1. False where D1 does not have all of it yet. */
  async #archive(live: LiveJob): Promise<boolean> {
    const { retention } = this.#settings
    const until = retention === 0 ? null : Date.now() + retention
    const hold = (archived: ArchivedJob) => this.#holder.holdArchived(archived)
    const hasLeft = await archiveJob(this.#journal, this.#store, live, until, hold)
    if (hasLeft) this.#setAlarm()
    return hasLeft
  }

  /** Takes the mark of an archived job away, once D1 has the job no more. */
  async #clearMark(): Promise<void> {
    const until = this.#journal.archivedUntil
    if (typeof until === 'number' && until <= Date.now()) await this.#journal.empty()
    else this.#setAlarm()
  }

  /** Sets the alarm for what is due first; what is due sooner than `delay` ms from now waits until then. */
  #setAlarm(delay = 0): void {
    const now = Date.now()
    const { live } = this.#holder
    const times =
      live === undefined
        ? [this.#journal.archivedUntil]
        : dutiesOf(live.job, live.isBehind, this.#settings, now).map(({ at }) => at)
    const due = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY))
    if (Number.isFinite(due)) this.#alarm.setBy(Math.max(due, now + delay), now)
  }
}

async function groupsOf(held: HeldJob, kind: EntryKind): Promise<GroupsOfKind> {
  const groups = await held.groups(kind)
  const named = groups.reduce((sum, { count }) => sum + count, 0)
  return { groups, others: keptOf(held.job)[kind] - named }
}
