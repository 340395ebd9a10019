import { type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { JobFilter, Place, Sort } from '../jobs/job-filter.ts'

/** Where a list starts, and which way it runs. */
export interface From {
  sort: Sort
  /** It starts after this place; undefined: at its end. */
  after?: Place | undefined
}

/** The order of a list. An index that ends with the time and the id has it in both directions. */
export function inOrder({ sort }: Pick<From, 'sort'>): SQL {
  return sort === 'newest' ? sql`created_at desc, job_id desc` : sql`created_at, job_id`
}

/**
 * The bounds of the places that a list still has. An index search uses one bound on each side and would scan every row
 * between two, so only the narrower one is passed.
 */
export function boundsOf(
  { createdAt, jobId }: Record<'createdAt' | 'jobId', SQLiteColumn | SQL>,
  { createdAfter, createdBefore }: JobFilter,
  { sort, after }: From,
): SQL[] {
  const isNewest = sort === 'newest'
  const edge = isNewest ? createdBefore : createdAfter
  const isInside =
    after !== undefined &&
    (edge === undefined || (isNewest ? after.createdAt < edge : after.createdAt > edge))
  const place =
    isInside &&
    sql`(${createdAt}, ${jobId}) ${sql.raw(isNewest ? '<' : '>')} (${after.createdAt}, ${after.jobId})`
  return [
    ...(createdAfter === undefined || (isInside && !isNewest) ? [] : [sql`${createdAt} > ${createdAfter}`]),
    ...(place ? [place] : []),
    ...(createdBefore === undefined || (isInside && isNewest) ? [] : [sql`${createdAt} < ${createdBefore}`]),
  ]
}
