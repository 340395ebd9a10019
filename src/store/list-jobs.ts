import { and, eq, getTableColumns, lt, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Job, JsonObject } from '../jobs/job.ts'
import type { JobFilter, Place } from '../jobs/job-filter.ts'
import { newestPlaces } from './newest-places.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/** Which page of a list to read. */
export interface JobPageQuery {
  filter: JobFilter
  /** The page starts after this place; undefined: at the newest job. */
  after?: Place | undefined
  limit: number
  /** The page ends with the job whose texts bring the total to this many bytes. */
  bytes: number
  /** False: metadata is not read, and every job has `{}`. */
  withMetadata: boolean
}

export interface JobPage {
  /** Newest first. */
  jobs: Job[]
  /** Whether the list goes on after the last of them. */
  hasMore: boolean
}

/**
 * One page of the organization's jobs, newest first, with at least one job unless the list has ended. A single
 * statement finds, sizes and reads the jobs, so it sees one state of the table: a job whose status changes meanwhile
 * never appears under a filter that it no longer matches, and a deleted job never ends the paging early. The cost does
 * not grow with the number of jobs, whatever the filter. Throws if D1 fails.
 */
export async function listJobs(store: Store, organizationId: string, query: JobPageQuery): Promise<JobPage> {
  const { filter, after, limit, bytes, withMetadata } = query
  const { organizationId: owner, ...columns } = getTableColumns(jobs)
  const { metadata, ...light } = columns
  const { createdAt, jobId } = light
  const size = sizeOf(withMetadata ? columns : light).as('size')

  // One place more than the page may hold shows whether the list goes on.
  const newest = newestPlaces(organizationId, filter, after, limit + 1)
  if (newest === undefined) return { jobs: [], hasMore: false }
  const places = store.$with('places', { createdAt, jobId }).as(newest)
  const sized = store.$with('sized').as(
    store
      .select({ createdAt: places.createdAt, jobId: places.jobId, size })
      .from(places)
      // SQLite never reorders a cross join: it goes from the places to the jobs.
      .crossJoin(jobs)
      .where(and(eq(owner, organizationId), eq(jobId, places.jobId))),
  )
  const newestFirst = sql`order by ${sized.createdAt} desc, ${sized.jobId} desc`
  const before = sql<number>`sum(${sized.size}) over (${newestFirst}) - ${sized.size}`.as('before')
  const summed = store.$with('summed').as(store.select({ jobId: sized.jobId, before }).from(sized))
  const rows = await store
    .with(places, sized, summed)
    .select({
      job: { ...light, metadata: sql<JsonObject>`${withMetadata ? metadata : '{}'}`.mapWith(metadata) },
    })
    .from(summed)
    // Beyond `bytes`, a row has no job: it only shows that the list goes on.
    .leftJoin(jobs, and(eq(owner, organizationId), eq(jobId, summed.jobId), lt(summed.before, bytes)))

  const found = rows
    .flatMap(({ job }) => job ?? [])
    .toSorted(byNewest)
    .slice(0, limit)
  return { jobs: found, hasMore: rows.length > found.length }
}

/**
 * The bytes of a row's texts. `octet_length` takes them from the row's header, without reading the pages of a long
 * text. Numbers are too small to matter.
 */
function sizeOf(columns: Record<string, SQLiteColumn>) {
  const texts = Object.values(columns).filter((column) => column.getSQLType() === 'text')
  const sizes = texts.map((column) => sql`coalesce(octet_length(${column}), 0)`)
  return sql<number>`${sql.join(sizes, sql` + `)}`
}

function byNewest(a: Place, b: Place): number {
  return b.createdAt - a.createdAt || (b.jobId < a.jobId ? -1 : 1)
}
