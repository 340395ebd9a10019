import { and, eq, sql } from 'drizzle-orm'
import { excluded, isOlderThan } from '../fence.ts'
import { isKept } from '../find-entries.ts'
import { jobEntries, jobs } from '../schema.ts'
import type { AnyStore } from '../store.ts'
import type { Ends } from './ends.ts'
import type { FoundJob } from './job-states.ts'
import {
  jsonArray,
  keyOf,
  list,
  PAGE_BYTES,
  PAGE_ROWS,
  PARTS,
  type Part,
  rowOf,
  sentColumn,
  upsertRows,
} from './job-tables.ts'

/** The key before the first one. */
const START = '[]'

/** Copies jobs as they were found. Each goes after all that belongs to it, so a job that is there is complete. */
export async function copyJobs({ from, to }: Ends, organizationId: string, found: FoundJob[]): Promise<void> {
  const states = JSON.stringify(
    found.map(({ jobId, epoch, revision, createdAt }) => [jobId, epoch, revision, createdAt]),
  )
  for (const table of PARTS) {
    for (let after: string | undefined = START; after !== undefined; ) {
      const page = await findParts(from, organizationId, table, states, after)
      if (page.length > 0) await insertParts(to, organizationId, table, states, page)
      after = page.at(-1)?.key
    }
  }
  await insertJobs(to, found)
}

interface PartRow {
  /** The row and its key as JSON arrays. */
  row: string
  key: string
}

/** The rows of a table that belong to these jobs, after a key: as many as fit on a page, at least one if any are left. */
async function findParts(
  store: AnyStore,
  organizationId: string,
  table: Part,
  states: string,
  after: string,
): Promise<PartRow[]> {
  const key = keyOf(table)
  const place = list(key.map((_, at) => sql`${after} ->> ${sql.raw(String(at))}`))
  const isAfter = after === START ? undefined : sql`(${list(key)}) > (${place})`
  const kept = table === jobEntries ? isKept : undefined
  const isOfJobs = sql`${table.jobId} in (select value ->> 0 from json_each(${states}))`
  const next = sql`
    select ${rowOf(table)} as part, ${jsonArray(key)} as place from ${table}
    join ${jobs} on ${jobs.organizationId} = ${table.organizationId} and ${jobs.jobId} = ${table.jobId}
    where ${and(eq(table.organizationId, organizationId), isOfJobs, kept, isAfter)}
    order by ${list(key)} limit ${PAGE_ROWS}`
  const page = sql`(
    select part, place, sum(octet_length(part)) over (rows unbounded preceding) - octet_length(part) as before
    from (${next}))`
  return await store
    .select({ row: sql<string>`part`, key: sql<string>`place` })
    .from(page)
    .where(sql`before < ${PAGE_BYTES}`)
}

/** Writes rows that belong to jobs, except to jobs of which the database has a newer state. */
async function insertParts(
  store: AnyStore,
  organizationId: string,
  table: Part,
  states: string,
  page: PartRow[],
): Promise<void> {
  const isNewer = sql`${jobs.epoch} > value ->> 1 or (${jobs.epoch} = value ->> 1
    and (${jobs.revision} > value ->> 2 or ${jobs.createdAt} <> value ->> 3))`
  const which = sql`
    ${sentColumn(table, table.jobId)} not in (select ${jobs.jobId} from json_each(${states}) join ${jobs}
      on ${jobs.organizationId} = ${organizationId} and ${jobs.jobId} = value ->> 0 where ${isNewer})`
  await upsertRows(
    store,
    table,
    page.map(({ row }) => row),
    { which },
  )
}

/** A job lands over an older state of itself, like every record. */
async function insertJobs(store: AnyStore, found: FoundJob[]): Promise<void> {
  await upsertRows(
    store,
    jobs,
    found.map(({ row }) => row),
    { over: isOlderThan(excluded) },
  )
}
