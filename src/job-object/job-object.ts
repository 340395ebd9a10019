import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { applyReport, type Report } from '../jobs/apply-report.ts'
import { cancelJob } from '../jobs/cancel-job.ts'
import type { NewJob } from '../jobs/create-job.ts'
import type { EntryPage } from '../jobs/entry-page.ts'
import { type EntryKind, type Job, type JobKey, keptCounts } from '../jobs/job.ts'
import type { KeyedRequest } from '../jobs/keyed-request.ts'
import type { Change } from '../jobs/outcome.ts'
import { logJobError } from '../log.ts'
import { readSettings, type Settings } from '../settings.ts'
import { openStore, type Store } from '../store/store.ts'
import { Alarm } from './alarm.ts'
import { archiveJob } from './archive-job.ts'
import { createOrRepeat } from './create-or-repeat.ts'
import type { HeldJob } from './held-job.ts'
import { JobHolder } from './job-holder.ts'
import { Journal } from './journal.ts'
import type { LiveJob } from './live-job.ts'
import { performDuties } from './perform-duties.ts'
import { RecordSender } from './record-sender.ts'
import {
  type EntriesReply,
  type GroupsOfKind,
  type GroupsReply,
  type JobRefusal,
  type JobReply,
  show,
  UNAVAILABLE,
  type WatchReply,
} from './replies.ts'
import { dutiesOf, RECORD_DELAY } from './schedule.ts'
import { Watchers } from './watchers.ts'

/** How long the reply to a change of status waits for D1 to record it, in ms. After that it goes out anyway. */
const STATUS_TIMEOUT_MS = 2_000

/**
 * One job of one organization, and the only writer of its state. The runtime holds each reply back until what it says
 * is on the object's own disk; D1 gets it soon after.
 */
export class JobObject extends DurableObject<Env> {
  readonly #store: Store
  readonly #journal: Journal
  readonly #holder: JobHolder
  readonly #sender: RecordSender
  readonly #watchers = new Watchers()
  readonly #alarm: Alarm
  readonly #settings: Settings

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#settings = readSettings(env)
    this.#store = openStore(env.DB)
    this.#alarm = new Alarm(ctx.storage)
    this.#journal = new Journal(ctx.storage)
    this.#holder = new JobHolder(this.#journal, this.#store, (live) => this.#onChange(live))
    this.#sender = new RecordSender(env, this.#settings.recorders, this.#holder)
    if (this.#journal.isEmpty) return
    // The alarm may be lost, so every load sets it again.
    ctx.blockConcurrencyWhile(async () => {
      await this.#alarm.restore()
      this.#setAlarm()
      this.#sender.soon()
    })
  }

  /** Creates the job. A keyed request that is a repeat gets the job it created before. */
  create(key: JobKey, newJob: NewJob, request: KeyedRequest | null): Promise<JobReply> {
    return this.#orUnavailable<JobReply>(key, async () => {
      const reply = await createOrRepeat(this.#holder, this.#journal, key, newJob, request)
      if (reply.ok) await this.#untilRecorded(reply.job)
      return reply
    })
  }

  /** Applies one report, in full or not at all; a keyed request is applied once. */
  report(key: JobKey, report: Report, request: KeyedRequest | null): Promise<JobReply> {
    const { maxEntryBytes } = this.#settings
    const change: Change = (job, now, stateOf) => applyReport(job, report, now, stateOf, maxEntryBytes)
    return this.#change(key, change, request)
  }

  /** Cancels the job. Its worker learns of it from its next report. */
  cancel(key: JobKey, reason: string | null): Promise<JobReply> {
    return this.#change(key, (job, now) => cancelJob(job, reason, now), null)
  }

  /** The job as last acknowledged, even while D1 is behind. */
  read(key: JobKey): Promise<JobReply> {
    return this.#withHeld<JobReply>(key, async ({ job, recent }) => show(job, recent, Date.now()))
  }

  /** One page of the job's entries. */
  entries(key: JobKey, page: EntryPage): Promise<EntriesReply | JobRefusal> {
    return this.#withHeld(key, async (held) => {
      const { entries, reached } = await held.entries(page)
      const next = reached < keptCounts(held.job)[page.kind] ? reached : null
      return { ok: true, texts: entries.map(({ text }) => text), next }
    })
  }

  /** The job's entries, counted by error type. */
  groups(key: JobKey): Promise<GroupsReply | JobRefusal> {
    return this.#withHeld(key, async (held) => ({
      ok: true,
      error: await groupsOf(held, 'error'),
      warning: await groupsOf(held, 'warning'),
    }))
  }

  /** The job's states as server-sent events until it finishes. `seen` is the revision that the watcher already has. */
  watch(key: JobKey, seen: number | null): Promise<WatchReply | JobRefusal> {
    return this.#withHeld(key, async ({ job }) => ({ ok: true, events: this.#watchers.add(job, seen) }))
  }

  /** Performs the duties that are due: see `dutiesOf`. */
  override async alarm(): Promise<void> {
    this.#alarm.markFired()
    const { live } = this.#holder
    if (live === undefined) return await this.#clearMark()
    live.saveRecorded()
    const record = () => this.#sender.now()
    const archive = () => archiveJob(this.#journal, this.#store, this.#holder, live, this.#settings.retention)
    const dependencies = { store: this.#store, settings: this.#settings, record, archive }
    // It never throws and re-arms itself: the runtime retries an alarm only six times, and D1 may be down for longer.
    const isDone = await performDuties(live, dependencies).catch((error) => {
      logJobError('alarm_failed', live.key, error)
      return false
    })
    this.#setAlarm(isDone ? 0 : RECORD_DELAY)
  }

  /** What follows from each new state of the job, once it is journaled. */
  #onChange(live: LiveJob): void {
    this.#watchers.show(live.job)
    this.#setAlarm()
    this.#sender.soon()
  }

  #change(key: JobKey, change: Change, request: KeyedRequest | null): Promise<JobReply> {
    return this.#withHeld<JobReply>(key, async (held) => {
      const { status } = held.job
      const reply = await held.change({ change, request })
      // A repeat waits too: the first request may still be waiting.
      if (reply.ok && (reply.replayed || reply.job.status !== status)) await this.#untilRecorded(reply.job)
      return reply
    })
  }

  /** Waits until D1 has the job's status or a later state, but no longer than the timeout. */
  async #untilRecorded({ status, revision }: Job): Promise<void> {
    const isRecorded = () => {
      const recorded = this.#holder.live?.recorded
      return recorded === undefined || recorded.revision >= revision || recorded.status === status
    }
    await this.#sender.until(isRecorded, STATUS_TIMEOUT_MS)
  }

  async #withHeld<Reply>(key: JobKey, use: (held: HeldJob) => Promise<Reply>): Promise<Reply | JobRefusal> {
    const found = await this.#holder.find(key)
    if (!found.ok) return found.reason === 'not_found' ? { ok: false, reason: 'not_found' } : UNAVAILABLE
    return await this.#orUnavailable(key, () => use(found.held))
  }

  /** If the journal or D1 fails, nothing was acknowledged. */
  async #orUnavailable<Reply>(key: JobKey, answer: () => Promise<Reply>): Promise<Reply | JobRefusal> {
    try {
      return await answer()
    } catch (error) {
      logJobError('call_failed', key, error)
      return UNAVAILABLE
    }
  }

  /** Removes the mark of an archived job once D1 has deleted the job. */
  async #clearMark(): Promise<void> {
    const until = this.#journal.archivedUntil
    if (typeof until === 'number' && until <= Date.now()) await this.#journal.empty()
    else this.#setAlarm()
  }

  /** Sets the alarm for the next duty, but no sooner than `delay` ms from now. */
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
  return { groups, others: keptCounts(held.job)[kind] - named }
}
