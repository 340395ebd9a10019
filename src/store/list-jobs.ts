import { and, desc, eq, gt, inArray, isNotNull, lt, type SQL, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/sqlite-core'
import { JOB_STATUSES, type Job, type JobStatus } from '../jobs/job.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/** The place of a job in a list: newest first, and by id among those of the same millisecond. */
export interface Place {
  createdAt: number
  jobId: string
}

export interface JobFilter {
  /** None: of any status. */
  statuses: JobStatus[]
  jobType?: string
  triggeredBy?: string
  /** Bounds in ms since the epoch, both exclusive. */
  createdAfter?: number
  createdBefore?: number
  stalled?: true
}

/**
 * The organisation's jobs, newest first, from behind `after` on, at most `limit`. Each status wanted is asked for by
 * itself, newest first, straight from an index, and the few rows that come of it are merged: so the time that a list
 * takes does not grow with the number of jobs, whatever it is narrowed by. Throws where D1 does.
 */
export async function listJobs(
  store: Store,
  organizationId: string,
  filter: JobFilter,
  after: Place | undefined,
  limit: number,
): Promise<Job[]> {
  const rows = await listQuery(store, organizationId, filter, after, limit)
  return rows.map(({ organizationId: _, ...job }) => job)
}

/** The query behind `listJobs`, for the test that holds it against the indexes. */
export function listQuery(
  store: Store,
  organizationId: string,
  filter: JobFilter,
  after: Place | undefined,
  limit: number,
) {
  const conditions = [eq(jobs.organizationId, organizationId), ...conditionsOf(filter, after)]
  const newest = (condition: SQL | undefined) =>
    store.select().from(
      store
        .select()
        .from(jobs)
        .where(and(...conditions, condition))
        .orderBy(desc(jobs.createdAt), desc(jobs.jobId))
        .limit(limit)
        .as('newest'),
    )
  const statuses = filter.statuses.length > 0 ? filter.statuses : JOB_STATUSES
  if (filter.stalled) return newest(and(isNotNull(jobs.stalledAt), inArray(jobs.status, [...statuses])))
  const [first, second, ...others] = statuses.map((status) => newest(eq(jobs.status, status)))
  if (first === undefined || second === undefined) return first ?? newest(sql`false`)
  return unionAll(first, second, ...others)
    .orderBy(sql`created_at desc, job_id desc`)
    .limit(limit)
}

function conditionsOf(
  { jobType, triggeredBy, createdAfter, createdBefore }: JobFilter,
  after: Place | undefined,
): SQL[] {
  return [
    ...(jobType === undefined ? [] : [eq(jobs.jobType, jobType)]),
    ...(triggeredBy === undefined ? [] : [eq(jobs.triggeredBy, triggeredBy)]),
    ...(createdAfter === undefined ? [] : [gt(jobs.createdAt, createdAfter)]),
    ...(createdBefore === undefined ? [] : [lt(jobs.createdAt, createdBefore)]),
    ...(after === undefined
      ? []
      : [sql`(${jobs.createdAt}, ${jobs.jobId}) < (${after.createdAt}, ${after.jobId})`]),
  ]
}
