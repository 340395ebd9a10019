import type { EntryGroup, EntryPage, FoundEntries } from '../jobs/entry-page.ts'
import { type Entry, type EntryKind, type Job, type JobKey, keptCounts } from '../jobs/job.ts'
import { judgeRepeat, type KeyedRequest } from '../jobs/keyed-request.ts'
import { type RecentEntries, type SizedEntry, withAppended } from '../jobs/recent-entries.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'
import type { JobRecord } from '../store/record-jobs.ts'
import { GroupCommit } from './group-commit.ts'
import type { Command, HeldJob } from './held-job.ts'
import type { Journal, Journaled } from './journal.ts'
import { type JobReply, replay, show } from './replies.ts'
import { type Progress, UNRECORDED } from './upgrade-journal.ts'

/** A job whose journal is in its object. Reads come from memory, changes go to the journal, and D1 follows. */
export class LiveJob implements HeldJob {
  readonly #journal: Journal
  readonly #commits: GroupCommit<Command, JobReply>
  #state: Journaled
  #isClosed = false
  #isRecordedSaved = true

  /** `onChange` is called after each new state is journaled. */
  constructor(journal: Journal, state: Journaled, onChange: () => void) {
    this.#journal = journal
    this.#state = state
    const commit = (commands: Command[]) => {
      const before = this.job
      const replies = this.#commit(commands, Date.now())
      if (this.job !== before) onChange()
      return replies
    }
    this.#commits = new GroupCommit(commit, () => journal.sync())
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

  async groups(kind: EntryKind): Promise<EntryGroup[]> {
    return this.#journal.transaction(() => this.#journal.groups.mostFrequent(kind, keptCounts(this.job)))
  }

  /** What D1 lacks, or as much of it as one write may carry. */
  nextRecord(): JobRecord {
    const { key, job, recorded } = this.#state
    return {
      key,
      job,
      ...this.#journal.entries.unrecorded(recorded),
      onlyProgress: recorded.status === job.status,
    }
  }

  /** Notes that D1 has a record. */
  markRecorded({ job, entries, unfinished }: JobRecord): void {
    const recorded = { ...this.recorded }
    for (const { kind, seq } of entries) recorded[kind] = Math.max(recorded[kind], seq)
    if (!unfinished) Object.assign(recorded, { revision: job.revision, status: job.status })
    this.#setRecorded(recorded)
  }

  /** Saves what D1 has, if that has changed since the job was saved. */
  saveRecorded(): void {
    const { key, job, recorded } = this.#state
    if (!this.#isRecordedSaved) this.#journal.saveJob(key, job, recorded)
    this.#isRecordedSaved = true
  }

  /** Notes that D1 lost the job, or the entries after a `seq`. The recorder then sends them again. */
  markLost(lost: Partial<Record<EntryKind, number>> | 'everything'): void {
    this.#setRecorded(lost === 'everything' ? UNRECORDED : { ...this.recorded, ...lost, revision: 0 })
  }

  /** Moves to a higher epoch than D1's, so the next record replaces what D1 has. Everything is recorded again. */
  supersede(epoch: number): void {
    const { key } = this.#state
    const job = { ...this.job, epoch: epoch + 1 }
    this.#journal.saveJob(key, job, UNRECORDED)
    this.#state = { ...this.#state, job, recorded: UNRECORDED }
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
    const { key } = this.#state
    let { job, recent } = this.#state
    const stateOf = (entityType: string, entityKey: string) =>
      this.#journal.entries.stateOf(entityType, entityKey)

    const added: Entry[] = []
    const apply = ({ change, request }: Command): JobReply => {
      const repeated = request === null ? undefined : this.#repeat(request, { job, recent }, now)
      if (repeated !== undefined) return repeated
      const outcome = change(job, now, stateOf)
      if (!outcome.ok) return outcome
      const isChanged = outcome.job !== job
      if (request !== null) {
        this.#journal.replies.keep({ request, asOf: now, job: isChanged ? outcome.job : null })
      }
      if (isChanged) {
        this.#journal.entries.append(outcome.entries, outcome.entities)
        added.push(...outcome.entries)
        job = outcome.job
        recent = {
          errors: withAppended(recent.errors, measure(outcome.entries, 'error')),
          warnings: withAppended(recent.warnings, measure(outcome.entries, 'warning')),
        }
      }
      return show(job, recent, now)
    }

    const replies = this.#journal.transaction(() => {
      const replies = commands.map(apply)
      if (job !== this.job) {
        this.#journal.saveJob(key, job, this.recorded)
        this.#journal.groups.countIfDue(keptCounts(job), added)
      }
      return replies
    })
    if (job !== this.job) this.#isRecordedSaved = true
    this.#state = { ...this.#state, job, recent }
    return replies
  }

  /** The reply to an earlier request with this key; undefined if there was none. */
  #repeat(
    request: KeyedRequest,
    current: { job: Job; recent: RecentEntries },
    now: number,
  ): JobReply | undefined {
    const earlier = this.#journal.replies.find(request.key)
    if (earlier === undefined) return undefined
    const { asOf, job } = earlier
    switch (judgeRepeat({ ...earlier.request, asOf }, request, now)) {
      case 'expired':
        return undefined
      case 'key_reused':
        return { ok: false, reason: 'key_reused' }
      case 'repeated':
        if (job === null) return replay(current.job, current.recent, now)
        return replay(job, this.#journal.recent(job), asOf)
    }
  }
}

function measure(entries: Entry[], kind: EntryKind): SizedEntry[] {
  return entries.filter((entry) => entry.kind === kind).map(({ text }) => ({ text, bytes: utf8Bytes(text) }))
}
