import { and, eq, getTableColumns, lt, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Job, JsonObject } from '../jobs/job.ts'
import type { JobFilter, Place, Sort } from '../jobs/job-filter.ts'
import { MAX_COUNTED, MAX_SEARCHED_JOBS } from '../jobs/limits.ts'
import { indexedPlaces } from './indexed-places.ts'
import { inOrder } from './place-order.ts'
import { jobs } from './schema.ts'
import { exceedsSearch, searchedPlaces } from './searched-places.ts'
import type { Store } from './store.ts'

/** Which page of a list to read. */
export interface JobPageQuery {
  filter: JobFilter
  sort: Sort
  /** The page starts after this place; undefined: at the first job. */
  after?: Place | undefined
  limit: number
  /** The page ends with the job whose texts bring the total to this many bytes. */
  bytes: number
  /** False: metadata is not read, and every job has `{}`. */
  withMetadata: boolean
}

export interface JobPage {
  /** In the order of the list. */
  jobs: Job[]
  /** Whether the list goes on after the last of them. */
  hasMore: boolean
  /** If the jobs searched for the page ended before it was full: the list goes on after this one. */
  reached?: Place
  /** False: more terms or ids begin with what is searched for than are looked at. */
  isComplete: boolean
}

/** How many jobs a list has, as far as they are counted. */
interface JobTotal {
  total: number
  isExact: boolean
}

/**
 * One page of the organization's jobs, with at least one job unless the list has ended or a search has `reached` its
 * bound. A single statement finds, sizes and reads the jobs, so it sees one state of the table: a job whose status
 * changes meanwhile never appears under a filter that it no longer matches, and a deleted job never ends the paging
 * early. The cost does not grow with the number of jobs, whatever the filter. Throws if D1 fails.
 */
export async function listJobs(store: Store, organizationId: string, query: JobPageQuery): Promise<JobPage> {
  const { filter, sort, after, limit } = query
  // One place more than the page may hold shows whether the list goes on.
  const from = { sort, after }
  if (!isSearched(filter)) {
    const indexed = indexedPlaces(organizationId, filter, from, limit + 1)
    if (indexed === undefined) return { jobs: [], hasMore: false, isComplete: true }
    return { ...toPage(await readPage(store, organizationId, query, indexed), query), isComplete: true }
  }
  const most = { limit: limit + 1, searched: MAX_SEARCHED_JOBS }
  const { candidates, places, isExact } = searchedPlaces(organizationId, filter, from, most)
  const last = sql`select created_at, job_id from (${candidates}) limit 1 offset ${MAX_SEARCHED_JOBS - 1}`
  const exceeds = filter.search === undefined ? sql<number>`0` : exceedsSearch(organizationId, filter.search)
  const createdAt = sql<number | null>`last.created_at`.as('created_at')
  const jobId = sql<string | null>`last.job_id`.as('job_id')
  // In one transaction, so both see one state of the tables.
  const [rows, [bounds]] = await store.batch([
    readPage(store, organizationId, query, places),
    store
      .select({ createdAt, jobId, exceeds: exceeds.as('exceeds') })
      .from(sql`(select 1) asked`)
      .leftJoin(
        sql`(${isExact ? sql`select null as created_at, null as job_id limit 0` : last}) last`,
        sql`true`,
      ),
  ])
  const page = toPage(rows, query)
  const isComplete = !bounds?.exceeds
  if (page.hasMore || bounds === undefined || bounds.createdAt === null || bounds.jobId === null)
    return { ...page, isComplete }
  return { ...page, hasMore: true, reached: { createdAt: bounds.createdAt, jobId: bounds.jobId }, isComplete }
}

/** Counts the jobs that match a filter, up to `MAX_COUNTED`. Throws if D1 fails. */
export async function countJobs(store: Store, organizationId: string, filter: JobFilter): Promise<JobTotal> {
  const from = { sort: 'newest' } as const
  const most = MAX_COUNTED + 1
  const searched = isSearched(filter)
    ? searchedPlaces(organizationId, filter, from, { limit: most, searched: most, isCount: true })
    : undefined
  const places = searched?.places ?? indexedPlaces(organizationId, filter, from, most)
  if (places === undefined) return { total: 0, isExact: true }
  const count = (select: SQL) => sql<number>`(select count(*) from (${select}))`
  const exceeds = filter.search === undefined ? sql<number>`0` : exceedsSearch(organizationId, filter.search)
  const [row] = await store
    .select({
      total: count(places).as('total'),
      looked: count(searched?.candidates ?? places).as('looked'),
      exceeds: exceeds.as('exceeds'),
    })
    .from(sql`(select 1) asked`)
  const { total = 0, looked = 0 } = row ?? {}
  return { total: Math.min(total, MAX_COUNTED), isExact: looked <= MAX_COUNTED && !row?.exceeds }
}

/** Whether no single index serves the filter. An index holds the late jobs by status only. */
function isSearched({ search, labels, late, jobType, triggeredBy, stalled }: JobFilter): boolean {
  const isNarrowed = jobType !== undefined || triggeredBy !== undefined || stalled === true
  return search !== undefined || labels !== undefined || (late === true && isNarrowed)
}

/** The jobs at these places, until their bytes exceed the page's. A row without a job shows that the list goes on. */
function readPage(store: Store, organizationId: string, query: JobPageQuery, found: SQL) {
  const { bytes, withMetadata } = query
  const { organizationId: owner, ...columns } = getTableColumns(jobs)
  const { metadata, ...light } = columns
  const { createdAt, jobId } = light
  const size = sizeOf(withMetadata ? columns : light).as('size')
  const places = store.$with('places', { createdAt, jobId }).as(found)
  const sized = store.$with('sized').as(
    store
      .select({ createdAt: places.createdAt, jobId: places.jobId, size })
      .from(places)
      // SQLite never reorders a cross join: it goes from the places to the jobs.
      .crossJoin(jobs)
      .where(and(eq(owner, organizationId), eq(jobId, places.jobId))),
  )
  const before = sql<number>`sum(${sized.size}) over (order by ${inOrder(query)}) - ${sized.size}`.as(
    'before',
  )
  const summed = store.$with('summed').as(store.select({ jobId: sized.jobId, before }).from(sized))
  return store
    .with(places, sized, summed)
    .select({
      job: { ...light, metadata: sql<JsonObject>`${withMetadata ? metadata : '{}'}`.mapWith(metadata) },
    })
    .from(summed)
    .leftJoin(jobs, and(eq(owner, organizationId), eq(jobId, summed.jobId), lt(summed.before, bytes)))
}

function toPage(
  rows: { job: Job | null }[],
  { sort, limit }: JobPageQuery,
): { jobs: Job[]; hasMore: boolean } {
  const found = rows
    .flatMap(({ job }) => job ?? [])
    .toSorted((a, b) => (sort === 'newest' ? comparePlaces(b, a) : comparePlaces(a, b)))
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

function comparePlaces(a: Place, b: Place): number {
  return a.createdAt - b.createdAt || (a.jobId < b.jobId ? -1 : 1)
}
