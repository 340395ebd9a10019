import { and, eq, sql } from 'drizzle-orm'
import { departures, jobs } from '../schema.ts'
import type { AnyStore } from '../store.ts'
import { type JobTable, keyOf, list, PARTS } from './job-tables.ts'

/** The rows that one statement deletes, so that it does not block D1 for long. */
const ROWS_PER_STEP = 2_000

/** Deletes everything of an organization's jobs from a database that it has left. Safe to repeat. */
export async function clearOrganization(store: AnyStore, organizationId: string): Promise<void> {
  // A job goes after its parts. Otherwise, a part left behind by a crash would belong to no job.
  for (const table of [...PARTS, jobs]) while (await deleteSome(store, table, organizationId)) {}
}

/** True if there may be more. */
async function deleteSome(store: AnyStore, table: JobTable, organizationId: string): Promise<boolean> {
  const key = list(keyOf(table))
  // If the organization comes back while this is running, nothing more of it is deleted.
  const hasLeft = sql`exists (select 1 from ${departures} where ${departures.organizationId} = ${organizationId})`
  const isOfOrganization = and(eq(table.organizationId, organizationId), hasLeft)
  const some = sql`(select ${key} from ${table} where ${isOfOrganization} limit ${ROWS_PER_STEP})`
  const deleted = await store
    .delete(table)
    .where(and(isOfOrganization, sql`(${key}) in ${some}`))
    .returning({ jobId: table.jobId })
  return deleted.length === ROWS_PER_STEP
}
