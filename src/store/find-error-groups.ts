import { and, eq, sql } from 'drizzle-orm'
import type { EntryKind } from '../jobs/job.ts'
import { MAX_ERROR_TYPE_HOURS, SHOWN_ERROR_TYPES } from '../jobs/limits.ts'
import { errorTypeHours } from './schema.ts'
import type { Store } from './store.ts'

/** A period in hours since the epoch, without `to`. */
export interface Hours {
  from: number
  to: number
}

/** The entries of one type, in a period and in the one before. */
export interface ErrorGroup {
  /** Cut to 200 characters. */
  errorType: string
  entries: number
  jobs: number
  previousEntries: number
  previousJobs: number
}

/** The most frequent types of a kind, and the number of entries in the period that are in none of them. */
export interface ErrorGroups {
  groups: ErrorGroup[]
  others: number
}

/**
 * The types of errors and of warnings in the jobs that finished in a period, and what the period before, of the same length,
 * had of them. `isPartial`: there are so many types that the oldest hours were left out. What it costs depends on the hours
 * and the types in them, and not on the jobs. Throws if D1 fails.
 */
export async function findErrorGroups(
  store: Store,
  organizationId: string,
  { from, to }: Hours,
): Promise<Record<EntryKind, ErrorGroups> & { isPartial: boolean }> {
  const { hour } = errorTypeHours
  // SQLite never reorders a cross join: it looks each hour up, the newest first.
  const found = sql`
    with recursive wanted (h) as (select ${to - 1} union all select h - 1 from wanted where h > ${2 * from - to})
    select kind, more, error_type, entries, jobs, h >= ${from} as is_now from wanted cross join ${errorTypeHours}
    where ${and(sql`${hour} = h`, eq(errorTypeHours.organizationId, organizationId))}
    limit ${MAX_ERROR_TYPE_HOURS + 1}`
  const summed = sql`
    select kind, more, error_type,
      sum(iif(is_now, entries, 0)) as entries, sum(iif(is_now, jobs, 0)) as jobs,
      sum(iif(is_now, 0, entries)) as previous_entries, sum(iif(is_now, 0, jobs)) as previous_jobs,
      sum(count(*)) over () as scanned, sum(sum(iif(is_now, entries, 0))) over (partition by kind) as total,
      row_number() over (partition by kind, more
        order by sum(iif(is_now, entries, 0)) desc, sum(iif(is_now, 0, entries)) desc, error_type) as rank
    from (${found}) group by kind, more, error_type`
  const rows = await store
    .select({
      kind: sql<EntryKind>`kind`,
      more: sql<boolean>`more`.mapWith(Boolean),
      errorType: sql<string>`error_type`,
      entries: sql<number>`entries`,
      jobs: sql<number>`jobs`,
      previousEntries: sql<number>`previous_entries`,
      previousJobs: sql<number>`previous_jobs`,
      scanned: sql<number>`scanned`,
      total: sql<number>`total`,
    })
    .from(sql`(${summed})`)
    .where(sql`rank <= ${SHOWN_ERROR_TYPES}`)
    .orderBy(sql`rank`)
  const ofKind = (kind: EntryKind): ErrorGroups => {
    const groups = rows.filter((row) => row.kind === kind && !row.more)
    const total = rows.find((row) => row.kind === kind)?.total ?? 0
    const others = total - groups.reduce((sum, { entries }) => sum + entries, 0)
    return { groups: groups.map(toGroup), others }
  }
  const isPartial = (rows[0]?.scanned ?? 0) > MAX_ERROR_TYPE_HOURS
  return { error: ofKind('error'), warning: ofKind('warning'), isPartial }
}

function toGroup({ errorType, entries, jobs, previousEntries, previousJobs }: ErrorGroup): ErrorGroup {
  return { errorType, entries, jobs, previousEntries, previousJobs }
}
