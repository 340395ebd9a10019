import { and, eq } from 'drizzle-orm'
import type { JobKey, JobSnapshot } from '../jobs/job.ts'
import { recentOf } from '../jobs/recent-entries.ts'
import { newestEntries } from './find-entries.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/**
 * The job as D1 has it, with its recent entries of each kind; undefined where this organisation has no such job. One
 * round trip. Throws where D1 does.
 */
export async function findJob(store: Store, key: JobKey): Promise<JobSnapshot | undefined> {
  const [rows, errors, warnings] = await store.batch([
    store
      .select()
      .from(jobs)
      .where(and(eq(jobs.organizationId, key.organizationId), eq(jobs.jobId, key.jobId))),
    newestEntries(store, key, 'error', Number.MAX_SAFE_INTEGER),
    newestEntries(store, key, 'warning', Number.MAX_SAFE_INTEGER),
  ])
  const row = rows[0]
  if (row === undefined) return undefined
  const { organizationId: _, ...job } = row
  return { job, errors: textsOf(errors), warnings: textsOf(warnings) }
}

/** The revision that D1 has of the job; undefined where it has none. Throws where D1 does. */
export async function findRevision(store: Store, key: JobKey): Promise<number | undefined> {
  const [row] = await store
    .select({ revision: jobs.revision })
    .from(jobs)
    .where(and(eq(jobs.organizationId, key.organizationId), eq(jobs.jobId, key.jobId)))
  return row?.revision
}

/** The texts of the newest entries, oldest first, as many as a job is shown with. */
export function textsOf(newestFirst: { text: string }[]): string[] {
  return recentOf(newestFirst.map(({ text }) => text).reverse())
}
