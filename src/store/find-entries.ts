import { and, asc, count, eq, gt, lte, sql } from 'drizzle-orm'
import { type EntryGroup, type EntryPage, lastLookedAt } from '../jobs/entry-page.ts'
import type { Entry, EntryKind, JobKey } from '../jobs/job.ts'
import { jobEntries } from './schema.ts'
import type { Store } from './store.ts'

const errorType = sql<string>`${jobEntries.text} ->> 'error_type'`

/** One page of the job's entries. Throws where D1 does. */
export async function findEntries(store: Store, key: JobKey, page: EntryPage): Promise<Entry[]> {
  const { kind, seq, text } = jobEntries
  return await store
    .select({ kind, seq, text })
    .from(jobEntries)
    .where(
      and(
        ofKind(key, page.kind),
        gt(seq, page.after),
        lte(seq, lastLookedAt(page)),
        page.errorType === null ? undefined : eq(errorType, page.errorType),
      ),
    )
    .orderBy(asc(seq))
    .limit(page.limit)
}

/** How many of the job's entries of one kind there are of each error type. Throws where D1 does. */
export async function countEntries(store: Store, key: JobKey, kind: EntryKind): Promise<EntryGroup[]> {
  return await store
    .select({ errorType, count: count() })
    .from(jobEntries)
    .where(ofKind(key, kind))
    .groupBy(errorType)
}

function ofKind(key: JobKey, kind: EntryKind) {
  return and(
    eq(jobEntries.organizationId, key.organizationId),
    eq(jobEntries.jobId, key.jobId),
    eq(jobEntries.kind, kind),
  )
}
