import { and, desc, eq, gt, isNotNull, lt, type SQL, sql } from 'drizzle-orm'
import { JOB_STATUSES, type Job } from '../jobs/job.ts'
import type { JobFilter, Place } from '../jobs/job-filter.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/**
 * The organisation's jobs, newest first, from behind `after` on, at most `limit`. Each status wanted is asked for by
 * itself, straight from an index, for the places of its newest jobs; of those few, the newest are then read whole. So the
 * time that a list takes does not grow with the number of jobs, whatever it is narrowed by. Two round trips. Throws where
 * D1 does.
 */
export async function listJobs(
  store: Store,
  organizationId: string,
  filter: JobFilter,
  after: Place | undefined,
  limit: number,
): Promise<Job[]> {
  const [first, ...others] = placeQueries(store, organizationId, filter, after, limit)
  if (first === undefined) return []
  const places = (await store.batch([first, ...others])).flat().toSorted(byNewest).slice(0, limit)
  const ids = JSON.stringify(places.map(({ jobId }) => jobId))
  const rows = await store
    .select()
    .from(jobs)
    .where(
      and(
        eq(jobs.organizationId, organizationId),
        sql`${jobs.jobId} in (select value from json_each(${ids}))`,
      ),
    )
  return rows.map(({ organizationId: _, ...job }) => job).toSorted(byNewest)
}

/** What `listJobs` looks for places by: one query for each status. The test holds them against the indexes. */
export function placeQueries(
  store: Store,
  organizationId: string,
  filter: JobFilter,
  after: Place | undefined,
  limit: number,
) {
  const statuses = filter.statuses.length > 0 ? filter.statuses : JOB_STATUSES
  // A stalled job is in progress, and an index holds the stalled ones alone.
  const wanted = filter.stalled ? statuses.filter((status) => status === 'in_progress') : statuses
  return wanted.map((status) =>
    store
      .select({ createdAt: jobs.createdAt, jobId: jobs.jobId })
      .from(jobs)
      .where(
        and(
          eq(jobs.organizationId, organizationId),
          filter.stalled ? isNotNull(jobs.stalledAt) : eq(jobs.status, status),
          ...conditionsOf(filter, after),
        ),
      )
      .orderBy(desc(jobs.createdAt), desc(jobs.jobId))
      .limit(limit),
  )
}

function byNewest(a: Place, b: Place): number {
  return b.createdAt - a.createdAt || (b.jobId < a.jobId ? -1 : 1)
}

function conditionsOf(
  { jobType, triggeredBy, createdAfter, createdBefore }: JobFilter,
  after: Place | undefined,
): SQL[] {
  // Of two upper bounds an index is searched by one only, and all rows up to the other would be passed over.
  const isBehind = after !== undefined && (createdBefore === undefined || after.createdAt < createdBefore)
  return [
    ...(jobType === undefined ? [] : [eq(jobs.jobType, jobType)]),
    ...(triggeredBy === undefined ? [] : [eq(jobs.triggeredBy, triggeredBy)]),
    ...(createdAfter === undefined ? [] : [gt(jobs.createdAt, createdAfter)]),
    ...(isBehind ? [sql`(${jobs.createdAt}, ${jobs.jobId}) < (${after.createdAt}, ${after.jobId})`] : []),
    ...(isBehind || createdBefore === undefined ? [] : [lt(jobs.createdAt, createdBefore)]),
  ]
}
