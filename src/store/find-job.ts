import { and, desc, eq } from 'drizzle-orm'
import type { EntryKind, Job, JobKey, JobSnapshot } from '../jobs/job.ts'
import { jobEntries, jobs } from './schema.ts'
import type { Store } from './store.ts'

/**
 * The job as D1 has it, with its newest `recent` entries of each kind, oldest first; undefined where this organisation
 * has no such job. One round trip. Throws where D1 does.
 */
export async function findJob(store: Store, key: JobKey, recent: number): Promise<JobSnapshot | undefined> {
  const [rows, errors, warnings] = await store.batch([
    store
      .select()
      .from(jobs)
      .where(and(eq(jobs.organizationId, key.organizationId), eq(jobs.jobId, key.jobId))),
    newestEntries(store, key, 'error', recent),
    newestEntries(store, key, 'warning', recent),
  ])
  const row = rows[0]
  if (row === undefined) return undefined
  return { job: toJob(row), errors: textsOf(errors), warnings: textsOf(warnings) }
}

function newestEntries(store: Store, key: JobKey, kind: EntryKind, limit: number) {
  return store
    .select({ text: jobEntries.text })
    .from(jobEntries)
    .where(
      and(
        eq(jobEntries.organizationId, key.organizationId),
        eq(jobEntries.jobId, key.jobId),
        eq(jobEntries.kind, kind),
      ),
    )
    .orderBy(desc(jobEntries.seq))
    .limit(limit)
}

function toJob({ organizationId: _, ...job }: typeof jobs.$inferSelect): Job {
  return job
}

function textsOf(newestFirst: { text: string }[]): string[] {
  return newestFirst.map(({ text }) => text).reverse()
}
