import { and, asc, eq, lte, sql } from 'drizzle-orm'
import type { EntryGroup } from '../jobs/entry-page.ts'
import type { EntryKind, JobKey } from '../jobs/job.ts'
import { SHOWN_ERROR_TYPE_BYTES, SHOWN_ERROR_TYPES } from '../jobs/limits.ts'
import { jobEntryGroups } from './schema.ts'
import type { Store } from './store.ts'

export interface RankedGroup extends EntryGroup {
  kind: EntryKind
  /** 1 for the most frequent of its kind. */
  rank: number
}

/** Stores some of a job's groups. Safe to repeat. Throws if D1 fails. */
export async function saveEntryGroups(store: Store, key: JobKey, groups: RankedGroup[]): Promise<void> {
  const rows = sql`
    select ${key.organizationId}, ${key.jobId}, value ->> 'kind', value ->> 'rank', value ->> 'errorType',
      value ->> 'count'
    from json_each(${JSON.stringify(groups)}) where true`
  const { organizationId, jobId, kind, rank } = jobEntryGroups
  await store
    .insert(jobEntryGroups)
    .select(rows)
    .onConflictDoUpdate({
      target: [organizationId, jobId, kind, rank],
      set: { errorType: sql`excluded.error_type`, count: sql`excluded.count` },
    })
}

/** The most frequent error types of one kind of entry, as many as a reply names. Throws if D1 fails. */
export async function findEntryGroups(store: Store, key: JobKey, kind: EntryKind): Promise<EntryGroup[]> {
  const { errorType, count, rank } = jobEntryGroups
  const bytes = sql<number>`sum(octet_length(${errorType})) over (order by ${rank})`
  const ranked = store
    .select({ errorType, count, rank, bytes: bytes.as('bytes') })
    .from(jobEntryGroups)
    .where(and(ofJob(key), eq(jobEntryGroups.kind, kind), lte(rank, SHOWN_ERROR_TYPES)))
    .as('ranked')
  return await store
    .select({ errorType: ranked.errorType, count: ranked.count })
    .from(ranked)
    .where(lte(ranked.bytes, SHOWN_ERROR_TYPE_BYTES))
    .orderBy(asc(ranked.rank))
}

/** The number of a job's groups in D1, and of the entries in them. Throws if D1 fails. */
export async function countEntryGroups(
  store: Store,
  key: JobKey,
): Promise<{ groups: number; entries: number }> {
  const [counted] = await store
    .select({
      groups: sql<number>`count(*)`,
      entries: sql<number>`coalesce(sum(${jobEntryGroups.count}), 0)`,
    })
    .from(jobEntryGroups)
    .where(ofJob(key))
  return counted ?? { groups: 0, entries: 0 }
}

function ofJob({ organizationId, jobId }: JobKey) {
  return and(eq(jobEntryGroups.organizationId, organizationId), eq(jobEntryGroups.jobId, jobId))
}
