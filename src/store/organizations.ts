import { count, eq, isNotNull, sql } from 'drizzle-orm'
import type { Env } from '../env.ts'
import { type Placement, UNPLACED } from '../jobs/placement.ts'
import { logEvent } from '../log.ts'
import { type Candidate, chooseDatabase } from './choose-database.ts'
import { databases } from './databases.ts'
import { apiKeys, jobs, organizations } from './schema.ts'
import { type AnyStore, openStore } from './store.ts'

/** Where the directory places an organization; undefined if it has no row there. Throws if D1 fails. */
export async function findPlacement(
  directory: AnyStore,
  organizationId: string,
): Promise<Placement | undefined> {
  const { database, version } = organizations
  const [row] = await directory
    .select({ database, version })
    .from(organizations)
    .where(eq(organizations.organizationId, organizationId))
  return row
}

/** Where the directory places organizations, without those that have no row there. Throws if D1 fails. */
export async function findPlacements(
  directory: AnyStore,
  organizationIds: string[],
): Promise<Map<string, Placement>> {
  if (organizationIds.length === 0) return new Map()
  const { organizationId, database, version } = organizations
  const rows = await directory
    .select({ organizationId, database, version })
    .from(organizations)
    .where(sql`${organizationId} in (select value from json_each(${JSON.stringify(organizationIds)}))`)
  return new Map(rows.map(({ organizationId: id, ...placement }) => [id, placement]))
}

/** The organizations that are moving to another database. Throws if D1 fails. */
export async function findMoving(directory: AnyStore): Promise<string[]> {
  const { organizationId, phase } = organizations
  const rows = await directory.select({ organizationId }).from(organizations).where(isNotNull(phase))
  return rows.map((row) => row.organizationId)
}

/** Whether an organization has a job in a database. Throws if D1 fails. */
export async function hasJobs(store: AnyStore, organizationId: string): Promise<boolean> {
  const [found] = await store
    .select({ jobId: jobs.jobId })
    .from(jobs)
    .where(eq(jobs.organizationId, organizationId))
    .limit(1)
  return found !== undefined
}

/** The number of organizations that the directory places in each database. Throws if D1 fails. */
export async function countOrganizations(directory: AnyStore): Promise<Map<string, number>> {
  const rows = await directory
    .select({ database: organizations.database, count: count() })
    .from(organizations)
    .groupBy(organizations.database)
  return new Map(rows.map((row) => [row.database, row.count]))
}

/**
 * Finds the placement of an organization, or places it: in `DB` if it already has a key or a job, since it then predates
 * the directory; otherwise in the database that `choose` returns. Safe to repeat. Throws if D1 fails.
 *
 * @param now in ms since the epoch
 */
export async function placeOrganization(
  directory: AnyStore,
  organizationId: string,
  choose: () => Promise<string>,
  now: number,
): Promise<Placement> {
  const known = await findPlacement(directory, organizationId)
  if (known !== undefined) return known
  const database = await choose()
  const row = sql`
    select ${organizationId}, iif(
      exists (select 1 from ${jobs} where ${jobs.organizationId} = ${organizationId}) or exists (
        select 1 from ${apiKeys}, json_each(${apiKeys.organizationIds}) where value = ${organizationId}),
      ${UNPLACED.database}, ${database}), 1, ${now}, null, null, null, null where true`
  await directory.insert(organizations).select(row).onConflictDoNothing()
  return (await findPlacement(directory, organizationId)) ?? UNPLACED
}

/**
 * Finds the placement of a session's organization, or places it on first sight. With only one database, D1 is not asked.
 * Throws if D1 fails.
 *
 * @param now in ms since the epoch
 */
export async function placeSession(env: Env, organizationId: string, now: number): Promise<Placement> {
  if (Object.keys(databases(env)).length === 1) return UNPLACED
  const directory = openStore(env.DB)
  return await placeOrganization(directory, organizationId, () => chooseAtEdge(env, directory), now)
}

async function chooseAtEdge(env: Env, directory: AnyStore): Promise<string> {
  const counts = await countOrganizations(directory)
  const candidates = await Promise.all(
    Object.entries(databases(env))
      .map(async ([name, database]): Promise<Candidate[]> => {
        // Every answer of D1 carries its size. A database that is down gets no new organization.
        const { meta } = await openStore(database).run(sql`select 1`)
        return [{ name, bytes: meta.size_after, organizations: counts.get(name) ?? 0 }]
      })
      .map((candidate) => candidate.catch(() => [])),
  )
  const preferred = env.DATABASE_FOR_NEW
  if (preferred && !(preferred in databases(env)))
    logEvent('setting_invalid', { name: 'DATABASE_FOR_NEW', used: 'the one with the most free space' })
  return chooseDatabase(candidates.flat(), preferred)
}
