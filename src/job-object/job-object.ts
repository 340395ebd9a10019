import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { applyReport } from '../jobs/apply-report.ts'
import { cancelJob } from '../jobs/cancel-job.ts'
import type { NewJob } from '../jobs/create-job.ts'
import type { EntryPage } from '../jobs/entry-page.ts'
import { isFinished, type Job, type JobKey, keptCounts, type Report } from '../jobs/job.ts'
import type { KeyedRequest } from '../jobs/keyed-request.ts'
import type { Change } from '../jobs/outcome.ts'
import type { JobAddress } from '../jobs/placement.ts'
import { presentHistory, presentMessage } from '../jobs/present-job.ts'
import { logJobError } from '../log.ts'
import { readSettings, type Settings } from '../settings.ts'
import { openStore, type Store } from '../store/store.ts'
import { Alarm } from './alarm.ts'
import { archiveJob } from './archive-job.ts'
import { createOrRepeat } from './create-or-repeat.ts'
import { groupEntries } from './group-entries.ts'
import type { Command, HeldJob } from './held-job.ts'
import { Home } from './home.ts'
import { JobHolder } from './job-holder.ts'
import { Journal } from './journal.ts'
import { performDuties } from './perform-duties.ts'
import { RecordSender } from './record-sender.ts'
import {
  type DeliveriesReply,
  type EntriesReply,
  type GroupsReply,
  type HistoryReply,
  type JobRefusal,
  type JobReply,
  type MessagesReply,
  type StatusReply,
  show,
  showDeliveries,
  showStatus,
  UNAVAILABLE,
  type WatchReply,
} from './replies.ts'
import { dutiesOf, RECORD_DELAY } from './schedule.ts'
import { Watchers } from './watchers.ts'

/**
 * One job of one organization, and the only writer of its state. The runtime holds each reply back until what it says
 * is on the object's own disk; D1 gets it soon after.
 */
export class JobObject extends DurableObject<Env> {
  /** The database with the webhook secrets. */
  readonly #directory: Store
  readonly #journal: Journal
  readonly #home: Home
  readonly #holder: JobHolder
  readonly #sender: RecordSender
  readonly #watchers = new Watchers((revision) => this.#holder.live?.messagesAfter(revision) ?? [])
  readonly #alarm: Alarm
  readonly #settings: Settings
  #followed: Job | undefined

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#settings = readSettings(env)
    this.#directory = openStore(env.DB)
    this.#alarm = new Alarm(ctx.storage)
    this.#journal = new Journal(ctx.storage)
    this.#home = new Home(env, this.#journal)
    this.#holder = new JobHolder(this.#journal, this.#home)
    this.#sender = new RecordSender(env, this.#settings.recorders, this.#home, this.#holder)
    if (this.#journal.isEmpty) return
    // The alarm may be lost, so every load sets it again.
    ctx.blockConcurrencyWhile(async () => {
      await this.#alarm.restore()
      this.#setAlarm()
      this.#sender.soon()
    })
  }

  /** Creates the job. A keyed request that is a repeat gets the job it created before. */
  create(address: JobAddress, newJob: NewJob, request: KeyedRequest | null): Promise<JobReply> {
    const key = this.#receive(address)
    return this.#orUnavailable<JobReply>(key, async () => {
      const reply = await createOrRepeat(this.#holder, this.#journal, key, newJob, request)
      this.#follow()
      if (reply.ok) await this.#sender.untilRecorded(reply)
      return reply
    })
  }

  /** Applies one report, in full or not at all; a keyed request is applied once. */
  report(address: JobAddress, report: Report, request: KeyedRequest | null): Promise<JobReply> {
    const { maxEntryBytes } = this.#settings
    const change: Change = (job, now, stateOf) => applyReport(job, report, now, stateOf, maxEntryBytes)
    return this.#change(address, change, request)
  }

  /** Cancels the job. Its worker learns of it from the reply to its next report. */
  cancel(address: JobAddress, reason: string | null): Promise<JobReply> {
    const { cancelGrace } = this.#settings
    return this.#change(address, (job, now) => cancelJob(job, reason, now, cancelGrace), null)
  }

  /** The job as last acknowledged, even while D1 is behind. */
  read(address: JobAddress): Promise<JobReply> {
    return this.#withHeld<JobReply>(address, async ({ job, recent }) => show(job, recent, Date.now()))
  }

  /** The few fields that a poller needs. */
  status(address: JobAddress): Promise<StatusReply | JobRefusal> {
    return this.#withHeld(address, async ({ job }) => showStatus(job))
  }

  /** How posting the job to its callback URL went. */
  deliveries(address: JobAddress): Promise<DeliveriesReply | JobRefusal> {
    return this.#withHeld(address, async ({ job }) => showDeliveries(job))
  }

  /** One page of the job's entries. */
  entries(address: JobAddress, page: EntryPage): Promise<EntriesReply | JobRefusal> {
    return this.#withHeld(address, async (held) => {
      const { entries, reached } = await held.entries(page)
      const next = reached < keptCounts(held.job)[page.kind] ? reached : null
      return { ok: true, texts: entries.map(({ text }) => text), next }
    })
  }

  /** The job's entries, counted by error type. */
  groups(address: JobAddress): Promise<GroupsReply | JobRefusal> {
    return this.#withHeld(address, groupEntries)
  }

  /** The newest messages of the job. */
  messages(address: JobAddress): Promise<MessagesReply | JobRefusal> {
    return this.#withHeld(address, async (held) => ({
      ok: true,
      messages: (await held.messages()).map(presentMessage),
    }))
  }

  /** How the job went. */
  history(address: JobAddress): Promise<HistoryReply | JobRefusal> {
    return this.#withHeld(address, async (held) => ({
      ok: true,
      history: presentHistory(await held.history(), held.job),
    }))
  }

  /**
   * The job's states as server-sent events until it finishes, with its messages if asked for. `seen` is the revision that
   * the watcher already has.
   */
  watch(address: JobAddress, seen: number | null, withMessages = false): Promise<WatchReply | JobRefusal> {
    return this.#withHeld(address, async (held) => {
      const messages = withMessages ? await held.messages() : null
      return { ok: true, events: this.#watchers.add(held.job, seen, messages) }
    })
  }

  /** Performs the duties that are due: see `dutiesOf`. */
  override async alarm(): Promise<void> {
    this.#alarm.markFired()
    const { live } = this.#holder
    if (live === undefined) return await this.#clearMark()
    const change = async (change: Change) => (await this.#commit(live, { change, request: null })).ok
    const record = () => this.#sender.now()
    const archive = () => archiveJob(this.#journal, this.#home, this.#holder, live, this.#settings.retention)
    const dependencies = { directory: this.#directory, settings: this.#settings, change, record, archive }
    // It never throws and re-arms itself: the runtime retries an alarm only six times, and D1 may be down for longer.
    const isDone = await performDuties(live, dependencies).catch((error) => {
      logJobError('alarm_failed', live.key, error)
      return false
    })
    this.#setAlarm(isDone ? 0 : RECORD_DELAY)
  }

  /** Takes from a call where the job's organization lives. If it has moved, all of the job is recorded there. */
  #receive({ placement, ...key }: JobAddress): JobKey {
    if (!this.#home.learn(placement)) return key
    this.#holder.forgetMissing()
    this.#holder.live?.markLost('everything')
    this.#setAlarm()
    this.#sender.soon()
    return key
  }

  #change(address: JobAddress, change: Change, request: KeyedRequest | null): Promise<JobReply> {
    return this.#withHeld<JobReply>(address, async (held) => {
      const { status } = held.job
      const reply = await this.#commit(held, { change, request })
      // A repeat waits too, of a request or of a mark: the first one may still be waiting.
      if (reply.ok && (reply.replayed || reply.status !== status || isFinished(status)))
        await this.#sender.untilRecorded(reply)
      return reply
    })
  }

  async #commit(held: HeldJob, command: Command): Promise<JobReply> {
    const reply = await held.change(command)
    this.#follow()
    return reply
  }

  /** What follows from each new state of a live job: one that was journaled, or loaded. */
  #follow(): void {
    const { live } = this.#holder
    if (live === undefined || live.job === this.#followed) return
    this.#followed = live.job
    this.#watchers.show(live.job)
    this.#setAlarm()
    this.#sender.soon()
  }

  async #withHeld<Reply>(
    address: JobAddress,
    use: (held: HeldJob) => Promise<Reply>,
  ): Promise<Reply | JobRefusal> {
    const key = this.#receive(address)
    const found = await this.#holder.find(key)
    if (!found.ok) return found.reason === 'not_found' ? { ok: false, reason: 'not_found' } : UNAVAILABLE
    this.#follow()
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
    const duties = live && dutiesOf(live.job, live.isBehind, this.#settings, now)
    this.#alarm.setForFirst(duties?.map(({ at }) => at) ?? [this.#journal.archivedUntil], now, delay)
  }
}
