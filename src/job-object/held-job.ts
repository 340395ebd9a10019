import type { EntryGroup, EntryPage, FoundEntries } from '../jobs/entry-page.ts'
import type { EntryKind, Job, JobKey } from '../jobs/job.ts'
import type { KeyedRequest } from '../jobs/keyed-request.ts'
import type { Change } from '../jobs/outcome.ts'
import type { RecentEntries } from '../jobs/recent-entries.ts'
import type { JobReply } from './replies.ts'

/** A change that was asked for, and by which keyed request, if any: repeated, that changes nothing. */
export interface Command {
  change: Change
  request: KeyedRequest | null
}

/** The job that an object holds in memory: a live one, from its journal, or an archived one, from D1. */
export interface HeldJob {
  readonly key: JobKey
  readonly job: Job
  readonly recent: RecentEntries
  /** Answers once what was changed is kept. Throws where it could not be. */
  change(command: Command): Promise<JobReply>
  /** One page of the entries. Throws where they cannot be read. */
  entries(page: EntryPage): Promise<FoundEntries>
  /** The most frequent error types, as many as a reply names. Throws where they cannot be read. */
  groups(kind: EntryKind): Promise<EntryGroup[]>
}
