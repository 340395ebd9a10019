import type { EntryPage, FoundEntries, ShownGroup } from '../jobs/entry-page.ts'
import { type History, knownHistory, unpackHistory } from '../jobs/history.ts'
import { type EntryKind, type Job, type JobKey, keptCounts } from '../jobs/job.ts'
import { judgeRepeat, type KeyedRequest } from '../jobs/keyed-request.ts'
import type { LogLine } from '../jobs/log-line.ts'
import type { RecentEntries } from '../jobs/recent-entries.ts'
import { findEntryGroups } from '../store/entry-groups.ts'
import { findEntries } from '../store/find-entries.ts'
import { findRecent } from '../store/find-job.ts'
import { findReply } from '../store/idempotent-replies.ts'
import { findLog, type JobLog } from '../store/job-logs.ts'
import { countGroups } from './count-groups.ts'
import type { Command, HeldJob } from './held-job.ts'
import type { Home } from './home.ts'
import { type JobReply, replay, show } from './replies.ts'

/** A finished job that only D1 has. It never changes again. Each call throws if D1 fails. */
export class ArchivedJob implements HeldJob {
  readonly key: JobKey
  readonly job: Job
  readonly recent: RecentEntries
  readonly #home: Home
  #counting: Promise<void> | undefined

  constructor(home: Home, key: JobKey, job: Job, recent: RecentEntries) {
    this.#home = home
    this.key = key
    this.job = job
    this.recent = recent
  }

  /** Answers a repeated request with its reply and a repeated final report with the job. Refuses anything else. */
  async change({ change, request }: Command): Promise<JobReply> {
    const now = Date.now()
    const repeated = request === null ? undefined : await this.#repeat(request, now)
    if (repeated !== undefined) return repeated
    const outcome = change(this.job, now, () => 'clean')
    if (!outcome.ok) return outcome
    // The time for a final report was over when the job was archived, but the clock may have been set back since.
    if (outcome.job !== this.job) return { ok: false, reason: 'closed', status: this.job.status }
    return show(this.job, this.recent, now)
  }

  async entries(page: EntryPage): Promise<FoundEntries> {
    const kept = keptCounts(this.job)[page.kind]
    const find = () => findEntries(this.#home.store, this.key, page, kept)
    return await this.#findHere(find, ({ entries }) => entries.length > 0 || page.after >= kept)
  }

  async groups(kind: EntryKind): Promise<ShownGroup[]> {
    const find = () => findEntryGroups(this.#home.store, this.key, kind)
    const kept = keptCounts(this.job)[kind]
    const found = await this.#findHere(find, (groups) => groups.length > 0 || kept === 0)
    if (found.length > 0 || kept === 0) return found
    // The database that it is leaving would not take the counts.
    if ((await this.#home.follow(this.key)) === 'moving') throw new Error('the organization is on its way')
    // It finished in a version that did not store all of it, or came into D1 without leaving an object.
    this.#counting ??= countGroups(this.#home.store, this.key, keptCounts(this.job)).finally(() => {
      this.#counting = undefined
    })
    await this.#counting
    return await find()
  }

  async messages(): Promise<LogLine[]> {
    return (await this.#log())?.messages ?? []
  }

  async history(): Promise<History> {
    const log = await this.#log()
    return log === undefined ? knownHistory(this.job) : unpackHistory(log.history)
  }

  /** Undefined if a version archived the job that kept no log, or the job was imported. */
  #log(): Promise<JobLog | undefined> {
    return this.#findHere(
      () => findLog(this.#home.store, this.key),
      (log) => log !== undefined,
    )
  }

  /** What `find` finds: where the organization has gone, if there is nothing here. */
  async #findHere<Found>(find: () => Promise<Found>, isFound: (found: Found) => boolean): Promise<Found> {
    const found = await find()
    if (isFound(found) || (await this.#home.follow(this.key)) !== 'moved') return found
    return await find()
  }

  /** The reply to an earlier request with this key; undefined if there was none. */
  async #repeat(request: KeyedRequest, now: number): Promise<JobReply | undefined> {
    const find = () => findReply(this.#home.store, this.key, request.key)
    const earlier = await this.#findHere(find, (reply) => reply !== undefined)
    if (earlier === undefined) return undefined
    const { asOf, job } = earlier
    const { status } = this.job
    switch (judgeRepeat({ ...earlier.request, asOf }, request, now)) {
      case 'expired':
        return undefined
      case 'key_reused':
        return { ok: false, reason: 'key_reused' }
      case 'repeated':
        if (job === null) return replay(this.job, this.recent, now, status)
        return replay(job, await findRecent(this.#home.store, this.key, job), asOf, status)
    }
  }
}
