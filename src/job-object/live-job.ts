import type { EntryPage, FoundEntries, ShownGroup } from '../jobs/entry-page.ts'
import { type History, withPoint } from '../jobs/history.ts'
import { type Entry, type EntryKind, type Job, type JobKey, type JobStatus, keptCounts } from '../jobs/job.ts'
import { judgeRepeat, type KeyedRequest } from '../jobs/keyed-request.ts'
import type { LogLine } from '../jobs/log-line.ts'
import { type RecentEntries, type SizedEntry, withAppended } from '../jobs/recent-entries.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'
import type { JobRecord } from '../store/record-jobs.ts'
import { GroupCommit } from './group-commit.ts'
import type { Command, HeldJob } from './held-job.ts'
import type { Journal, Journaled } from './journal.ts'
import { type JobReply, type JobShown, replay, show } from './replies.ts'
import { type Progress, UNRECORDED } from './upgrade-journal.ts'

/** A job whose journal is in its object. Reads come from memory, changes go to the journal, and D1 follows. */
export class LiveJob implements HeldJob {
  readonly #journal: Journal
  readonly #commits: GroupCommit<Command, JobReply>
  #state: Journaled
  #isClosed = false
  #isRecordedSaved = true

  constructor(journal: Journal, state: Journaled) {
    this.#journal = journal
    this.#state = state
    this.#commits = new GroupCommit(
      (commands) => this.#commit(commands, Date.now()),
      () => journal.sync(),
    )
  }

  get key(): JobKey {
    return this.#state.key
  }

  get job(): Job {
    return this.#state.job
  }

  get recent(): RecentEntries {
    return this.#state.recent
  }

  get recorded(): Progress {
    return this.#state.recorded
  }

  get isBehind(): boolean {
    return this.recorded.revision < this.job.revision
  }

  change(command: Command): Promise<JobReply> {
    return this.#commits.add(command)
  }

  async entries(page: EntryPage): Promise<FoundEntries> {
    return this.#journal.entries.page(page)
  }

  async groups(kind: EntryKind): Promise<ShownGroup[]> {
    return this.#journal.transaction(() => this.#journal.groups.mostFrequent(kind, keptCounts(this.job)))
  }

  async messages(): Promise<LogLine[]> {
    return this.messagesAfter(0)
  }

  /** The kept messages that came with a revision after this one, oldest first. */
  messagesAfter(revision: number): LogLine[] {
    return this.#journal.messages.after(revision)
  }

  async history(): Promise<History> {
    return this.#state.history
  }

  /** What D1 lacks, or as much of it as one write may carry. */
  nextRecord(): JobRecord {
    const { key, job, recorded } = this.#state
    const isEntriesBehind = recorded.error < job.keptErrors || recorded.warning < job.keptWarnings
    return {
      key,
      job,
      // Looked for only where there are some: a job without entries then needs no tables.
      ...(isEntriesBehind ? this.#journal.entries.unrecorded(recorded) : { entries: [], unfinished: false }),
      onlyProgress: recorded.status === job.status,
    }
  }

  /** Notes that D1 has a record, and that the recorder wants the next one `interval` ms later. */
  markRecorded({ job, entries, unfinished }: JobRecord, interval: number): void {
    const recorded = { ...this.recorded, pace: { at: Date.now(), interval } }
    for (const { kind, seq } of entries) recorded[kind] = Math.max(recorded[kind], seq)
    // A record that was superseded may be answered after the newer one.
    const isNewer = !unfinished && job.revision > recorded.revision
    if (isNewer) Object.assign(recorded, { revision: job.revision, status: job.status })
    this.#setRecorded(recorded)
  }

  /** Whether the journal knows what D1 has: that is saved with the next change of the job. */
  get isRecordedSaved(): boolean {
    return this.#isRecordedSaved
  }

  /** Saves what D1 has, if that has changed since the job was saved. */
  saveRecorded(): void {
    if (!this.#isRecordedSaved) this.#journal.saveJob(this.#state)
    this.#isRecordedSaved = true
  }

  /** Notes that D1 lost the job, or the entries after a `seq`, or that the job moved. It is then recorded again. */
  markLost(lost: Partial<Record<EntryKind, number>> | 'everything'): void {
    this.#setRecorded(lost === 'everything' ? UNRECORDED : { ...this.recorded, ...lost, revision: 0 })
  }

  /** Moves to a higher epoch than D1's, so the next record replaces what D1 has. Everything is recorded again. */
  supersede(epoch: number): void {
    const state = { ...this.#state, job: { ...this.job, epoch: epoch + 1 }, recorded: UNRECORDED }
    this.#journal.saveJob(state)
    this.#state = state
  }

  /** Refuses further commands: the job is being archived. */
  close(): void {
    this.#isClosed = true
  }

  #setRecorded(recorded: Progress): void {
    this.#state = { ...this.#state, recorded }
    this.#isRecordedSaved = false
  }

  /**
   * Journals a group of commands in one transaction, each applied to the result of the one before. It has no `await`,
   * so no other request can interleave. If the journal fails, it throws, and neither memory nor disk has changed.
   */
  #commit(commands: Command[], now: number): JobReply[] {
    if (this.#isClosed) throw new Error('the job has been archived')
    let { job, recent, history } = this.#state
    const stateOf = (entityType: string, entityKey: string) =>
      this.#journal.entries.stateOf(entityType, entityKey)

    const added: Entry[] = []
    /** The keyed requests of this group that were applied, and whether they changed the job. */
    const keyed = new Map<string, { request: KeyedRequest; isChange: boolean }>()

    const apply = ({ change, request }: Command): Applied => {
      const repeated =
        request === null ? undefined : this.#repeat(request, keyed.get(request.key)?.request, job.status, now)
      if (repeated !== undefined) return repeated
      const outcome = change(job, now, stateOf)
      if (!outcome.ok) return outcome
      const isChange = outcome.job !== job
      if (request !== null) keyed.set(request.key, { request, isChange })
      if (isChange) {
        this.#journal.entries.append(outcome.entries, outcome.entities)
        added.push(...outcome.entries)
        if (outcome.message !== undefined)
          this.#journal.messages.append(outcome.message, now, outcome.job.revision)
        history = withPoint(history, job, outcome.job, now)
        job = outcome.job
        recent = {
          errors: withAppended(recent.errors, measure(outcome.entries, 'error')),
          warnings: withAppended(recent.warnings, measure(outcome.entries, 'warning')),
        }
      }
      return 'as it is now'
    }

    const applied = this.#journal.transaction(() => {
      const applied = commands.map(apply)
      for (const { request, isChange } of keyed.values()) {
        this.#journal.replies.keep({ request, asOf: now, job: isChange ? job : null })
      }
      if (job !== this.job) {
        this.#journal.saveJob({ ...this.#state, job, history })
        this.#journal.groups.countIfDue(keptCounts(job), added)
      }
      return applied
    })
    if (job !== this.job) this.#isRecordedSaved = true
    this.#state = { ...this.#state, job, recent, history }
    // All of a group see the job as the whole group left it, in one text.
    let shown: JobShown | undefined
    return applied.map((reply) => {
      if (typeof reply === 'object') return reply
      shown ??= show(job, recent, now)
      return reply === 'repeated' ? { ...shown, replayed: true } : shown
    })
  }

  /** What a request gets whose key was used before, in this group or earlier; undefined if it was not. */
  #repeat(
    request: KeyedRequest,
    inGroup: KeyedRequest | undefined,
    status: JobStatus,
    now: number,
  ): Applied | undefined {
    const earlier = inGroup === undefined ? this.#journal.replies.find(request.key) : undefined
    const before = inGroup ?? earlier?.request
    if (before === undefined) return undefined
    switch (judgeRepeat({ ...before, asOf: earlier?.asOf ?? now }, request, now)) {
      case 'expired':
        return undefined
      case 'key_reused':
        return { ok: false, reason: 'key_reused' }
      case 'repeated': {
        const job = earlier?.job ?? null
        if (job === null) return 'repeated'
        return replay(job, this.#journal.recent(job), earlier?.asOf ?? now, status)
      }
    }
  }
}

/** What became of a command: its reply, or that it gets the job as the group leaves it. */
type Applied = JobReply | 'as it is now' | 'repeated'

function measure(entries: Entry[], kind: EntryKind): SizedEntry[] {
  return entries.filter((entry) => entry.kind === kind).map(({ text }) => ({ text, bytes: utf8Bytes(text) }))
}
