import { and, eq, getTableColumns, lt, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Job, JsonObject } from '../jobs/job.ts'
import type { JobFilter, Place } from '../jobs/job-filter.ts'
import { newestPlaces } from './newest-places.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/** Which page of a list is wanted. */
export interface JobPageQuery {
  filter: JobFilter
  /** The page starts behind this place; undefined: at the newest job. */
  after?: Place | undefined
  limit: number
  /** The page ends with the job that brings the texts read to this many bytes. */
  bytes: number
  /** False: metadata is not read, and every job comes with `{}`. */
  withMetadata: boolean
}

export interface JobPage {
  /** Newest first. */
  jobs: Job[]
  /** Whether the list goes on after the last of them. */
  hasMore: boolean
}

/**
 * One page of the organization's jobs, newest first; it has at least one job unless the list is at its end. A single
 * statement finds the jobs, weighs them and reads them, and so sees one state of the table: a job whose status changes
 * meanwhile never appears under a filter it no longer matches, and a deleted one never cuts the paging short. The cost does
 * not grow with the number of jobs, whatever the filter. Throws where D1 does.
 */
export async function listJobs(store: Store, organizationId: string, query: JobPageQuery): Promise<JobPage> {
  const { filter, after, limit, bytes, withMetadata } = query
  const { organizationId: owner, ...columns } = getTableColumns(jobs)
  const { metadata, ...light } = columns
  const { createdAt, jobId } = light
  const weight = weightOf(withMetadata ? columns : light).as('weight')

  // One place more than the page may hold tells whether the list goes on.
  const newest = newestPlaces(organizationId, filter, after, limit + 1)
  if (newest === undefined) return { jobs: [], hasMore: false }
  const places = store.$with('places', { createdAt, jobId }).as(newest)
  const weighed = store.$with('weighed').as(
    store
      .select({ createdAt: places.createdAt, jobId: places.jobId, weight })
      .from(places)
      // A cross join keeps its order in SQLite: from the places to the jobs, never the other way round.
      .crossJoin(jobs)
      .where(and(eq(owner, organizationId), eq(jobId, places.jobId))),
  )
  const newestFirst = sql`order by ${weighed.createdAt} desc, ${weighed.jobId} desc`
  const before = sql<number>`sum(${weighed.weight}) over (${newestFirst}) - ${weighed.weight}`.as('before')
  const summed = store.$with('summed').as(store.select({ jobId: weighed.jobId, before }).from(weighed))
  const rows = await store
    .with(places, weighed, summed)
    .select({
      job: { ...light, metadata: sql<JsonObject>`${withMetadata ? metadata : '{}'}`.mapWith(metadata) },
    })
    .from(summed)
    // Past the bytes allowed a row has no job, and tells only that the list goes on.
    .leftJoin(jobs, and(eq(owner, organizationId), eq(jobId, summed.jobId), lt(summed.before, bytes)))

  const found = rows
    .flatMap(({ job }) => job ?? [])
    .toSorted(byNewest)
    .slice(0, limit)
  return { jobs: found, hasMore: rows.length > found.length }
}

/**
 * The bytes of a row's texts. `octet_length` takes them from the row's header, so a long text is weighed without reading
 * the pages it fills. Numbers are too small to matter.
 */
function weightOf(columns: Record<string, SQLiteColumn>) {
  const texts = Object.values(columns).filter((column) => column.getSQLType() === 'text')
  const weights = texts.map((column) => sql`coalesce(octet_length(${column}), 0)`)
  return sql<number>`${sql.join(weights, sql` + `)}`
}

function byNewest(a: Place, b: Place): number {
  return b.createdAt - a.createdAt || (b.jobId < a.jobId ? -1 : 1)
}
