import { and, asc, count, desc, eq, gt, lt, lte, sql } from 'drizzle-orm'
import { type EntryGroup, type EntryPage, lastLookedAt, PAGE_CHARACTERS } from '../jobs/entry-page.ts'
import type { Entry, EntryKind, JobKey } from '../jobs/job.ts'
import { RECENT_ENTRIES } from '../jobs/recent-entries.ts'
import { jobEntries } from './schema.ts'
import type { Store } from './store.ts'

const errorType = sql<string>`${jobEntries.text} ->> 'error_type'`

/** One page of the job's entries. Throws where D1 does. */
export async function findEntries(store: Store, key: JobKey, page: EntryPage): Promise<Entry[]> {
  const { kind, seq, text } = jobEntries
  const found = store
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
    .as('found')
  const charactersBefore = sql<number>`sum(length(${found.text})) over (order by ${found.seq}) - length(${found.text})`
  const weighed = store
    .select({ kind: found.kind, seq: found.seq, text: found.text, before: charactersBefore.as('before') })
    .from(found)
    .as('weighed')
  return await store
    .select({ kind: weighed.kind, seq: weighed.seq, text: weighed.text })
    .from(weighed)
    .where(lt(weighed.before, PAGE_CHARACTERS))
    .orderBy(asc(weighed.seq))
}

/** The query for the newest entries of one kind up to the `last`th, newest first. */
export function newestEntries(store: Store, key: JobKey, kind: EntryKind, last: number) {
  return store
    .select({ text: jobEntries.text })
    .from(jobEntries)
    .where(and(ofKind(key, kind), lte(jobEntries.seq, last)))
    .orderBy(desc(jobEntries.seq))
    .limit(RECENT_ENTRIES)
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
