import { and, eq } from 'drizzle-orm'
import type { Job, JobKey, JobStatus } from '../jobs/job.ts'
import type { RecentEntries } from '../jobs/recent-entries.ts'
import { findRecentEntries } from './find-entries.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/** What a record in D1 is told by: its fence, and the status that lists show. */
export interface Recorded {
  epoch: number
  revision: number
  status: JobStatus
}

/** The job as D1 has it; undefined where this organization has no such job. Throws where D1 does. */
export async function findJob(store: Store, key: JobKey): Promise<Job | undefined> {
  const [row] = await store.select().from(jobs).where(ofJob(key))
  if (row === undefined) return undefined
  const { organizationId: _, ...job } = row
  return job
}

/** The newest entries that D1 has of a job, as many as it is shown with. Throws where D1 does. */
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

/** What D1 has recorded of the job; undefined where it has nothing. Throws where D1 does. */
export async function findRecorded(store: Store, key: JobKey): Promise<Recorded | undefined> {
  const { epoch, revision, status } = jobs
  const [row] = await store.select({ epoch, revision, status }).from(jobs).where(ofJob(key))
  return row
}

function ofJob({ organizationId, jobId }: JobKey) {
  return and(eq(jobs.organizationId, organizationId), eq(jobs.jobId, jobId))
}
