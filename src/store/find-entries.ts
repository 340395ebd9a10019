import { and, asc, eq, gt } from 'drizzle-orm'
import type { Entry, EntryKind, JobKey } from '../jobs/job.ts'
import { jobEntries } from './schema.ts'
import type { Store } from './store.ts'

/** The job's entries of one kind after the `after`th, oldest first, at most `limit`. Throws where D1 does. */
export async function findEntries(
  store: Store,
  key: JobKey,
  kind: EntryKind,
  after: number,
  limit: number,
): Promise<Entry[]> {
  const { seq, text } = jobEntries
  return await store
    .select({ kind: jobEntries.kind, seq, text })
    .from(jobEntries)
    .where(
      and(
        eq(jobEntries.organizationId, key.organizationId),
        eq(jobEntries.jobId, key.jobId),
        eq(jobEntries.kind, kind),
        gt(seq, after),
      ),
    )
    .orderBy(asc(seq))
    .limit(limit)
}
