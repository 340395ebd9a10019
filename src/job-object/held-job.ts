import type { EntryPage, FoundEntries, ShownGroup } from '../jobs/entry-page.ts'
import type { History } from '../jobs/history.ts'
import type { EntryKind, Job, JobKey } from '../jobs/job.ts'
import type { KeyedRequest } from '../jobs/keyed-request.ts'
import type { LogLine } from '../jobs/log-line.ts'
import type { Change } from '../jobs/outcome.ts'
import type { RecentEntries } from '../jobs/recent-entries.ts'
import type { JobReply } from './replies.ts'

/** A requested change, and the keyed request it came with, if any. A repeat of that request changes nothing. */
export interface Command {
  change: Change
  request: KeyedRequest | null
}

/** The job that an object holds in memory: live, backed by its journal, or archived, backed by D1. */
export interface HeldJob {
  readonly key: JobKey
  readonly job: Job
  readonly recent: RecentEntries
  /** Resolves once the change is stored. Throws if it could not be. */
  change(command: Command): Promise<JobReply>
  /** One page of the entries. Throws if they cannot be read. */
  entries(page: EntryPage): Promise<FoundEntries>
  /** The most frequent error types, as many as a reply names. Throws if they cannot be read. */
  groups(kind: EntryKind): Promise<ShownGroup[]>
  /** The newest messages, oldest first. Throws if they cannot be read. */
  messages(): Promise<LogLine[]>
  /** How the job went. Throws if it cannot be read. */
  history(): Promise<History>
}
