import { and, asc, eq, gt, lte, or, sql } from 'drizzle-orm'
import { alias, type SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { EntryGroup, ShownGroup } from '../jobs/entry-page.ts'
import type { EntryKind, JobKey } from '../jobs/job.ts'
import { MAX_SAMPLE_LENGTH, SHOWN_ERROR_TYPE_BYTES, SHOWN_ERROR_TYPES } from '../jobs/limits.ts'
import { jobEntries, jobEntryGroups } from './schema.ts'
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
      value ->> 'count', value ->> 'firstSeq', value ->> 'lastSeq'
    from json_each(${JSON.stringify(groups)}) where true`
  const { organizationId, jobId, kind, rank } = jobEntryGroups
  await store
    .insert(jobEntryGroups)
    .select(rows)
    .onConflictDoUpdate({
      target: [organizationId, jobId, kind, rank],
      set: {
        errorType: sql`excluded.error_type`,
        count: sql`excluded.count`,
        firstSeq: sql`excluded.first_seq`,
        lastSeq: sql`excluded.last_seq`,
      },
    })
}

/**
 * The most frequent error types of one kind of entry, as many as a reply names. None if they were not counted, or by a
 * version that did not note where the entries are. Throws if D1 fails.
 */
export async function findEntryGroups(store: Store, key: JobKey, kind: EntryKind): Promise<ShownGroup[]> {
  const { errorType, count, rank, firstSeq, lastSeq } = jobEntryGroups
  const bytes = sql<number>`sum(octet_length(json_quote(${errorType}))) over (order by ${rank})`
  const ranked = store
    .select({ errorType, count, rank, firstSeq, lastSeq, bytes: bytes.as('bytes') })
    .from(jobEntryGroups)
    .where(and(ofJob(key), eq(jobEntryGroups.kind, kind), lte(rank, SHOWN_ERROR_TYPES)))
    .as('ranked')
  const first = alias(jobEntries, 'first')
  const last = alias(jobEntries, 'last')
  const isEntry = (entry: typeof first | typeof last, seq: SQLiteColumn) =>
    and(
      eq(entry.organizationId, key.organizationId),
      eq(entry.jobId, key.jobId),
      eq(entry.kind, kind),
      eq(entry.seq, seq),
    )
  const ofLast = (name: string) =>
    sql<string | null>`substr(${last.text} ->> ${name}, 1, ${MAX_SAMPLE_LENGTH})`
  const found = await store
    .select({
      errorType: ranked.errorType,
      count: ranked.count,
      isPlaced: sql<boolean>`${ranked.lastSeq} is not null`.mapWith(Boolean),
      firstSeen: sql<string | null>`${first.text} ->> 'timestamp'`,
      lastSeen: sql<string | null>`${last.text} ->> 'timestamp'`,
      entityType: ofLast('entity_type'),
      entityKey: ofLast('entity_key'),
      message: ofLast('message'),
    })
    .from(ranked)
    .leftJoin(first, isEntry(first, ranked.firstSeq))
    .leftJoin(last, isEntry(last, ranked.lastSeq))
    .where(lte(ranked.bytes, SHOWN_ERROR_TYPE_BYTES))
    .orderBy(asc(ranked.rank))
  return found.every(({ isPlaced }) => isPlaced) ? found.map(({ isPlaced: _, ...group }) => group) : []
}

/** Drops what a job has beyond these ranks, left by another count. Throws if D1 fails. */
export async function dropEntryGroups(
  store: Store,
  key: JobKey,
  last: Record<EntryKind, number>,
): Promise<void> {
  const { kind, rank } = jobEntryGroups
  const isBeyond = (each: EntryKind) => and(eq(kind, each), gt(rank, last[each]))
  await store.delete(jobEntryGroups).where(and(ofJob(key), or(isBeyond('error'), isBeyond('warning'))))
}

/** The number of a job's groups in D1, and of the entries in them. Throws if D1 fails. */
export async function sumEntryGroups(
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

/**
 * The error types of a kind's entries with `after < seq <= last`, how many entries each has and where, in the order in
 * which they appear. Throws if D1 fails.
 */
export async function countErrorTypes(
  store: Store,
  { organizationId, jobId }: JobKey,
  kind: EntryKind,
  { after, last }: { after: number; last: number },
): Promise<EntryGroup[]> {
  const errorType = sql<string>`${jobEntries.text} ->> 'error_type'`
  return await store
    .select({
      errorType,
      count: sql<number>`count(*)`,
      firstSeq: sql<number>`min(${jobEntries.seq})`,
      lastSeq: sql<number>`max(${jobEntries.seq})`,
    })
    .from(jobEntries)
    .where(
      and(
        eq(jobEntries.organizationId, organizationId),
        eq(jobEntries.jobId, jobId),
        eq(jobEntries.kind, kind),
        gt(jobEntries.seq, after),
        lte(jobEntries.seq, last),
      ),
    )
    .groupBy(errorType)
    .orderBy(sql`min(${jobEntries.seq})`)
}

function ofJob({ organizationId, jobId }: JobKey) {
  return and(eq(jobEntryGroups.organizationId, organizationId), eq(jobEntryGroups.jobId, jobId))
}
