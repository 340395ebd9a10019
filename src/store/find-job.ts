import { and, eq } from 'drizzle-orm'
import type { Job, JobKey, JobStatus } from '../jobs/job.ts'
import type { RecentEntries } from '../jobs/recent-entries.ts'
import { findRecentEntries } from './find-entries.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/** What identifies a record in D1: its fence, and the status that lists show. */
export interface Recorded {
  epoch: number
  revision: number
  status: JobStatus
}

/** The job in D1; undefined if this organization has no such job. Throws if D1 fails. */
export async function findJob(store: Store, key: JobKey): Promise<Job | undefined> {
  const [row] = await store.select().from(jobs).where(ofJob(key))
  if (row === undefined) return undefined
  const { organizationId: _, ...job } = row
  return job
}

/** The newest of a job's entries in D1, as many as a reply shows. Throws if D1 fails. */
export async function findRecent(
  store: Store,
  key: JobKey,
  { keptErrors, keptWarnings }: Pick<Job, 'keptErrors' | 'keptWarnings'>,
): Promise<RecentEntries> {
  return {
    errors: await findRecentEntries(store, key, 'error', keptErrors),
    warnings: await findRecentEntries(store, key, 'warning', keptWarnings),
  }
}

/** Which state of the job D1 has; undefined if it has none. Throws if D1 fails. */
export async function findRecorded(store: Store, key: JobKey): Promise<Recorded | undefined> {
  const { epoch, revision, status } = jobs
  const [row] = await store.select({ epoch, revision, status }).from(jobs).where(ofJob(key))
  return row
}

function ofJob({ organizationId, jobId }: JobKey) {
  return and(eq(jobs.organizationId, organizationId), eq(jobs.jobId, jobId))
}
