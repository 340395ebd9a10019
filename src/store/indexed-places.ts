import { and, eq, isNotNull, type SQL, sql } from 'drizzle-orm'
import { JOB_STATUSES } from '../jobs/job.ts'
import type { JobFilter } from '../jobs/job-filter.ts'
import { boundsOf, type From, inOrder } from './place-order.ts'
import { jobs } from './schema.ts'

/** D1 allows 5 terms in a compound SELECT, fewer than there are statuses: those from the fifth on share a nested one. */
const OUTER_TERMS = 4

/**
 * A SELECT for the places (`created_at`, `job_id`) of the first jobs that match a filter that one index serves, in
 * order, at most `limit`; undefined if no job can match. Each status is searched separately, so an index returns its jobs
 * in order. SQLite merges the searches and stops at the limit: it reads that many index rows, plus one for each status.
 */
export function indexedPlaces(
  organizationId: string,
  filter: JobFilter,
  from: From,
  limit: number,
): SQL | undefined {
  if (filter.parentJobId !== undefined) {
    const isChild = [eq(jobs.organizationId, organizationId), eq(jobs.parentJobId, filter.parentJobId)]
    return sql`select ${jobs.createdAt}, ${jobs.jobId} from ${jobs}
      where ${and(...isChild, ...boundsOf(jobs, filter, from))} order by ${inOrder(from)} limit ${limit}`
  }
  const statuses = filter.statuses.length > 0 ? filter.statuses : JOB_STATUSES
  // Every stalled job is in progress, and an index holds only the stalled jobs.
  const wanted = filter.stalled ? statuses.filter((status) => status === 'in_progress') : statuses
  if (wanted.length === 0) return undefined
  const searches = wanted.map((status) => {
    const ofStatus = filter.stalled ? isNotNull(jobs.stalledAt) : eq(jobs.status, status)
    const { jobType, triggeredBy, late } = filter
    const conditions = [
      eq(jobs.organizationId, organizationId),
      ofStatus,
      ...(late ? [isNotNull(jobs.lateAt)] : []),
      ...(jobType === undefined ? [] : [eq(jobs.jobType, jobType)]),
      ...(triggeredBy === undefined ? [] : [eq(jobs.triggeredBy, triggeredBy)]),
      ...boundsOf(jobs, filter, from),
    ]
    return sql`select ${jobs.createdAt}, ${jobs.jobId} from ${jobs} where ${and(...conditions)}`
  })
  const nested = searches.slice(OUTER_TERMS)
  const terms = [
    ...searches.slice(0, OUTER_TERMS),
    ...(nested.length > 0 ? [sql`select * from (${unionAll(nested)})`] : []),
  ]
  return sql`${unionAll(terms)} order by ${inOrder(from)} limit ${limit}`
}

function unionAll(selects: SQL[]): SQL {
  return sql.join(selects, sql` union all `)
}
