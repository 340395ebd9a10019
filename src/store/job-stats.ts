import { and, asc, eq, gt, gte, lt, type SQL, sql } from 'drizzle-orm'
import type { FinishedStatus } from '../jobs/job.ts'
import { jobStats } from './schema.ts'
import type { AnyStore, Store } from './store.ts'

/** The rows that one statement deletes, so that it does not block D1 for long. */
const ROWS_PER_STEP = 2_000

/** How many jobs of a type ended in an hour with a status. */
export interface JobCount {
  /** The beginning of the hour, in ms since the epoch. */
  hour: number
  jobType: string
  status: FinishedStatus
  jobs: number
}

/** A place in the list of counts: after the first `skipped` of an hour. */
export interface StatsPlace {
  hour: number
  skipped: number
}

export interface StatsQuery {
  /** Hours that begin at `since` or later and before `until`, both in ms since the epoch. */
  since: number
  until: number
  jobType: string | undefined
  /** The page starts here; undefined: at `since`. */
  after: StatsPlace | undefined
  limit: number
  /** The page ends with the count whose type, as JSON, brings the total to this many bytes. */
  bytes: number
}

/** A page of an organization's counts, by hour, type and status, and where the next one starts. Throws if D1 fails. */
export async function findStats(
  store: Store,
  organizationId: string,
  query: StatsQuery,
): Promise<{ counts: JobCount[]; next: StatsPlace | undefined }> {
  const { after, limit } = query
  const rows = await statsPage(store, organizationId, query)
  const counts = rows
    .slice(0, limit)
    .flatMap(({ jobType, ...count }) => (jobType === null ? [] : [{ ...count, jobType }])) as JobCount[]
  const hour = counts.at(-1)?.hour
  if (rows.length <= counts.length || hour === undefined) return { counts, next: undefined }
  const ofHour = counts.filter((count) => count.hour === hour).length
  return { counts, next: { hour, skipped: ofHour + (after?.hour === hour ? after.skipped : 0) } }
}

/** One row more than the page may hold shows whether the list goes on; so does one without a type. */
export function statsPage(
  store: Store,
  organizationId: string,
  { since, until, jobType, after, limit, bytes }: StatsQuery,
) {
  const { hour, status, jobs } = jobStats
  const next = store
    .select({ hour, jobType: jobStats.jobType, status, jobs })
    .from(jobStats)
    .where(
      and(
        eq(jobStats.organizationId, organizationId),
        jobType === undefined ? undefined : eq(jobStats.jobType, jobType),
        gte(hour, after?.hour ?? since),
        lt(hour, until),
        gt(jobs, 0),
      ),
    )
    .orderBy(asc(hour), asc(jobStats.jobType), asc(status))
    .limit(limit + 1)
    .offset(after?.skipped ?? 0)
    .as('next')
  const size = sql`octet_length(json_quote(${next.jobType}))`
  const before = sql`sum(${size}) over (order by ${next.hour}, ${next.jobType}, ${next.status}) - ${size}`
  return store
    .select({
      hour: next.hour,
      jobType: sql<string | null>`iif(${before} < ${bytes}, ${next.jobType}, null)`,
      status: next.status,
      jobs: next.jobs,
    })
    .from(next)
}

/** Deletes the counts of hours before `before` (ms since the epoch), in at most `steps` steps. Throws if D1 fails. */
export async function deleteOldStats(store: Store, before: number, steps: number): Promise<void> {
  for (let step = 0; step < steps && (await deleteSome(store, lt(jobStats.hour, before))); step++) {}
}

/** Deletes counts of an organization that `isDeleted`. Throws if the database fails. */
export async function clearStats(store: AnyStore, isDeleted: SQL | undefined): Promise<void> {
  while (await deleteSome(store, isDeleted)) {}
}

/** True if there may be more. */
async function deleteSome(store: AnyStore, isDeleted: SQL | undefined): Promise<boolean> {
  const { organizationId, hour, jobType, status } = jobStats
  const key = sql`${organizationId}, ${hour}, ${jobType}, ${status}`
  const some = sql`(select ${key} from ${jobStats} where ${isDeleted} limit ${ROWS_PER_STEP})`
  const deleted = await store
    .delete(jobStats)
    .where(and(isDeleted, sql`(${key}) in ${some}`))
    .returning({ hour })
  return deleted.length === ROWS_PER_STEP
}
