import { and, desc, eq, lt, sql } from 'drizzle-orm'
import type { EntryKind } from '../jobs/job.ts'
import { isKept } from './find-entries.ts'
import { entryEntity, jobEntries, jobs } from './schema.ts'
import type { Store } from './store.ts'

/** The place of an entry among those about one entity, newest first. */
export interface EntityPlace {
  /** Its `timestamp`, as published. */
  at: string
  jobId: string
  kind: EntryKind
  seq: number
}

/** An entry about an entity, with the job that reported it. */
export interface EntityEntry extends EntityPlace {
  jobType: string
  /** The entry as published JSON. */
  text: string
}

interface EntityQuery {
  entityType: string
  entityKey: string
  /** The page starts after this place; undefined: at the newest entry. */
  after?: EntityPlace | undefined
  limit: number
  /** The page ends with the entry that brings the total to this many bytes. */
  bytes: number
}

/**
 * One page of the errors and warnings about an entity, newest first, with at least one unless there are no more. One
 * statement finds, sizes and reads them: it costs the same however many jobs and entries there are. Throws if D1 fails.
 */
export async function findEntityEntries(
  store: Store,
  organizationId: string,
  { entityType, entityKey, after, limit, bytes }: EntityQuery,
): Promise<{ entries: EntityEntry[]; hasMore: boolean }> {
  const { jobId, kind, seq, text } = jobEntries
  const { type, key, timestamp } = entryEntity
  // The first condition bounds the search in the index; the second leaves out what is in the same millisecond.
  const isAfter =
    after &&
    sql`${timestamp} <= ${after.at} and
      (${timestamp}, ${jobId}, ${kind}, ${seq}) < (${after.at}, ${after.jobId}, ${after.kind}, ${after.seq})`
  const found = store.$with('found').as(
    store
      .select({
        at: sql<string>`${timestamp}`.as('at'),
        jobId: sql<string>`${jobId}`.as('found_job'),
        kind,
        seq,
        jobType: jobs.jobType,
        bytes: sql<number>`octet_length(${text}) + octet_length(json_quote(${jobs.jobType}))`.as('bytes'),
      })
      .from(jobEntries)
      // SQLite never reorders a cross join: it goes from the entries to their jobs.
      .crossJoin(jobs)
      .where(
        and(
          eq(jobEntries.organizationId, organizationId),
          eq(type, entityType),
          eq(key, entityKey),
          isAfter,
          eq(jobs.organizationId, organizationId),
          eq(jobs.jobId, jobId),
          isKept,
        ),
      )
      .orderBy(desc(timestamp), desc(jobId), desc(kind), desc(seq))
      // One more shows whether there are more.
      .limit(limit + 1),
  )
  const newestFirst = sql`order by ${found.at} desc, ${found.jobId} desc, ${found.kind} desc, ${found.seq} desc`
  const before = sql<number>`sum(${found.bytes}) over (${newestFirst}) - ${found.bytes}`.as('before')
  const { at, jobType } = found
  const sized = store
    .$with('sized')
    .as(
      store.select({ at, jobId: found.jobId, kind: found.kind, seq: found.seq, jobType, before }).from(found),
    )
  const rows = await store
    .with(found, sized)
    .select({
      at: sized.at,
      jobId: sized.jobId,
      kind: sized.kind,
      seq: sized.seq,
      jobType: sized.jobType,
      // Beyond `bytes`, it has no text: it only shows that there are more.
      text: sql<string | null>`${text}`,
    })
    .from(sized)
    .leftJoin(
      jobEntries,
      and(
        eq(jobEntries.organizationId, organizationId),
        eq(jobId, sized.jobId),
        eq(kind, sized.kind),
        eq(seq, sized.seq),
        lt(sized.before, bytes),
      ),
    )
    .orderBy(desc(sized.at), desc(sized.jobId), desc(sized.kind), desc(sized.seq))
  const entries = rows
    .slice(0, limit)
    .flatMap(({ text: entry, ...place }) => (entry === null ? [] : { ...place, text: entry }))
  return { entries, hasMore: rows.length > entries.length }
}
