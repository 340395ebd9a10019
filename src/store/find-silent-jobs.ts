import { and, eq, inArray, lt, sql } from 'drizzle-orm'
import type { JobKey } from '../jobs/job.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/** The organizations searched by one statement, so none blocks D1 for long. */
const ORGANIZATIONS_PER_STEP = 500

/**
 * At most `limit` live jobs that D1 has heard nothing of since `before` (ms since the epoch), found in at most `steps`
 * steps of two statements. Throws if D1 fails.
 */
export async function findSilentJobs(
  store: Store,
  before: number,
  limit: number,
  steps: number,
): Promise<JobKey[]> {
  const found: JobKey[] = []
  let after = ''
  for (let step = 0; step < steps && found.length < limit; step++) {
    const organizationIds = await nextOrganizations(store, after)
    const last = organizationIds.at(-1)
    if (last === undefined) break
    found.push(...(await silentJobs(store, organizationIds, before, limit - found.length)))
    after = last
  }
  return found
}

/** The organizations after one, in order. Each is one search of an index, however many jobs it has. */
async function nextOrganizations(store: Store, after: string): Promise<string[]> {
  const next = (id: unknown) =>
    sql`select min(${jobs.organizationId}) from ${jobs} where ${jobs.organizationId} > ${id}`
  const rows = await store.all<{ id: string | null }>(
    sql`with recursive organization (id) as (
      ${next(after)} union all select (${next(sql`id`)}) from organization where id is not null
      limit ${ORGANIZATIONS_PER_STEP}
    ) select id from organization`,
  )
  return rows.flatMap(({ id }) => id ?? [])
}

/**
 * No index has `updated_at`, which every report changes. A silent job was also created before, and among the live jobs
 * an index finds these: besides the silent ones, only jobs that have run for as long and still report.
 */
function silentJobs(
  store: Store,
  organizationIds: string[],
  before: number,
  limit: number,
): Promise<JobKey[]> {
  const { organizationId, jobId, status, createdAt, updatedAt } = jobs
  const searched = store
    .select({ id: sql<string>`value`.as('id') })
    .from(sql`json_each(${JSON.stringify(organizationIds)})`)
    .as('searched')
  return store
    .select({ organizationId, jobId })
    .from(searched)
    .crossJoin(jobs)
    .where(
      and(
        eq(organizationId, searched.id),
        inArray(status, ['pending', 'in_progress']),
        lt(createdAt, before),
        lt(updatedAt, before),
      ),
    )
    .limit(limit)
}
