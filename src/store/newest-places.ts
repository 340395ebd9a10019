import { and, eq, gt, isNotNull, lt, type SQL, sql } from 'drizzle-orm'
import { JOB_STATUSES } from '../jobs/job.ts'
import type { JobFilter, Place } from '../jobs/job-filter.ts'
import { jobs } from './schema.ts'

/** D1 allows 5 terms in a compound SELECT, fewer than there are statuses: those from the fifth on share a nested one. */
const OUTER_TERMS = 4

/**
 * A SELECT for the places (`created_at`, `job_id`) of the newest jobs that match a filter, newest first, at most
 * `limit`; undefined if no job can match. Each status is searched separately, so an index returns its jobs in order.
 * SQLite merges the searches and stops at the limit: it reads that many index rows, plus one for each status.
 */
export function newestPlaces(
  organizationId: string,
  filter: JobFilter,
  after: Place | undefined,
  limit: number,
): SQL | undefined {
  const statuses = filter.statuses.length > 0 ? filter.statuses : JOB_STATUSES
  // Every stalled job is in progress, and an index holds only the stalled jobs.
  const wanted = filter.stalled ? statuses.filter((status) => status === 'in_progress') : statuses
  if (wanted.length === 0) return undefined
  const searches = wanted.map((status) => {
    const ofStatus = filter.stalled ? isNotNull(jobs.stalledAt) : eq(jobs.status, status)
    const conditions = [eq(jobs.organizationId, organizationId), ofStatus, ...conditionsOf(filter, after)]
    return sql`select ${jobs.createdAt}, ${jobs.jobId} from ${jobs} where ${and(...conditions)}`
  })
  const nested = searches.slice(OUTER_TERMS)
  const terms = [
    ...searches.slice(0, OUTER_TERMS),
    ...(nested.length > 0 ? [sql`select * from (${unionAll(nested)})`] : []),
  ]
  return sql`${unionAll(terms)} order by created_at desc, job_id desc limit ${limit}`
}

function conditionsOf(
  { jobType, triggeredBy, createdAfter, createdBefore }: JobFilter,
  after: Place | undefined,
): SQL[] {
  // An index search uses one upper bound and would scan every row between two, so only the lower one is passed.
  const isBehind = after !== undefined && (createdBefore === undefined || after.createdAt < createdBefore)
  return [
    ...(jobType === undefined ? [] : [eq(jobs.jobType, jobType)]),
    ...(triggeredBy === undefined ? [] : [eq(jobs.triggeredBy, triggeredBy)]),
    ...(createdAfter === undefined ? [] : [gt(jobs.createdAt, createdAfter)]),
    ...(isBehind ? [sql`(${jobs.createdAt}, ${jobs.jobId}) < (${after.createdAt}, ${after.jobId})`] : []),
    ...(isBehind || createdBefore === undefined ? [] : [lt(jobs.createdAt, createdBefore)]),
  ]
}

function unionAll(selects: SQL[]): SQL {
  return sql.join(selects, sql` union all `)
}
