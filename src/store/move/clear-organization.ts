import { and, eq, type SQL, sql } from 'drizzle-orm'
import { clearStats } from '../job-stats.ts'
import { departures, errorTypeHours, jobStats, jobs } from '../schema.ts'
import type { AnyStore } from '../store.ts'
import { type JobTable, keyOf, list, PARTS } from './job-tables.ts'

/** The rows that one statement deletes, so that it does not block D1 for long. */
const ROWS_PER_STEP = 2_000

/** Deletes everything of an organization's jobs from a database that it left with this version. Safe to repeat. */
export async function clearOrganization(
  store: AnyStore,
  organizationId: string,
  version: number,
): Promise<void> {
  // A run that slept may delete long after its move. The organization may have come back since, or be leaving again.
  const hasLeft = and(
    eq(departures.organizationId, organizationId),
    eq(departures.version, version),
    eq(departures.isWhole, true),
  )
  const isDeleted = (table: JobTable | typeof errorTypeHours | typeof jobStats) =>
    and(eq(table.organizationId, organizationId), sql`exists (select 1 from ${departures} where ${hasLeft})`)
  // First, or they would note each job that goes.
  await clearStats(store, isDeleted(jobStats))
  // A job goes after its parts. Otherwise, a part left behind by a crash would belong to no job.
  for (const table of [...PARTS, jobs]) while (await deleteSome(store, table, isDeleted(table))) {}
  // The other database counted the jobs as they came.
  await store.delete(errorTypeHours).where(isDeleted(errorTypeHours))
}

/** True if there may be more. */
async function deleteSome(store: AnyStore, table: JobTable, isDeleted: SQL | undefined): Promise<boolean> {
  const key = list(keyOf(table))
  const some = sql`(select ${key} from ${table} where ${isDeleted} limit ${ROWS_PER_STEP})`
  const deleted = await store
    .delete(table)
    .where(and(isDeleted, sql`(${key}) in ${some}`))
    .returning({ jobId: table.jobId })
  return deleted.length === ROWS_PER_STEP
}
