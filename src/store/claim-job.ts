import { and, eq, sql } from 'drizzle-orm'
import type { Job, JobKey } from '../jobs/job.ts'
import { jobEntries, jobs } from './schema.ts'
import type { Store } from './store.ts'

/**
 * Claims a job for an object that found its own storage empty. After this, no late record of an earlier object lands,
 * and the entries that it wrote ahead of the job are deleted. False if the job changed since it was read: read it again
 * and retry. Throws if D1 fails.
 */
export async function claimJob(store: Store, key: JobKey, found: Job): Promise<boolean> {
  const { organizationId, jobId } = key
  const { epoch, revision, keptErrors, keptWarnings } = found
  const [claimed] = await store.batch([
    store
      .update(jobs)
      .set({ epoch: epoch + 1 })
      .where(
        and(
          eq(jobs.organizationId, organizationId),
          eq(jobs.jobId, jobId),
          eq(jobs.epoch, epoch),
          eq(jobs.revision, revision),
        ),
      ),
    store.delete(jobEntries).where(
      and(
        eq(jobEntries.organizationId, organizationId),
        eq(jobEntries.jobId, jobId),
        sql`${jobEntries.seq} > case ${jobEntries.kind} when 'error' then ${keptErrors} else ${keptWarnings} end`,
        sql`exists (select 1 from ${jobs} where ${jobs.organizationId} = ${organizationId}
          and ${jobs.jobId} = ${jobId} and ${jobs.epoch} = ${epoch + 1} and ${jobs.revision} = ${revision})`,
      ),
    ),
  ])
  return claimed.meta.changes > 0
}
