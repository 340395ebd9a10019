import { sql } from 'drizzle-orm'
import type { Run } from '../jobs/usual-pace.ts'
import { jobs } from './schema.ts'
import type { Store } from './store.ts'

/** A type of jobs, with the newest of its completed jobs. */
export interface JobTypeRuns {
  jobType: string
  runs: Run[]
}

interface JobTypeQuery {
  /** Types before these are left out: those that the pages before had. */
  skipped: number
  limit: number
  /** Runs of each status that a job may be completed with, the newest. */
  runs: number
}

/** A page of the types that an organization has jobs of, in order, and whether there are more. Throws if D1 fails. */
export async function findJobTypes(
  store: Store,
  organizationId: string,
  query: JobTypeQuery,
): Promise<{ types: JobTypeRuns[]; hasMore: boolean }> {
  const rows = await store.all<{ jobType: string; runs: string }>(jobTypesPage(organizationId, query))
  const types = rows.slice(0, query.limit).map(({ jobType, runs }) => ({
    jobType,
    runs: (JSON.parse(runs) as [number, number, number][][])
      .flat()
      .map(([createdAt, duration, items]) => ({ createdAt, duration, items })),
  }))
  return { types, hasMore: rows.length > query.limit }
}

/**
 * One seek in the index for each type, and one for the newest jobs of each status: neither reads the other jobs. A type more
 * than the page may hold shows whether there are more.
 */
function jobTypesPage(organizationId: string, { skipped, limit, runs }: JobTypeQuery) {
  const { jobType, status, startedAt, completedAt, createdAt, jobId } = jobs
  const isOwn = sql`${jobs.organizationId} = ${organizationId}`
  const newest = (of: string) => sql`(
    select json_group_array(json_array(created, duration, items)) from (
      select ${createdAt} as created, max(0, ${completedAt} - ${startedAt}) as duration,
        ${jobs.processedItems} + ${jobs.failedItems} as items
      from ${jobs} indexed by jobs_by_type
      where ${isOwn} and ${jobType} = types.type and ${status} = ${of}
        and ${completedAt} is not null and ${startedAt} is not null
      order by ${createdAt} desc, ${jobId} desc limit ${runs}))`
  return sql`
    with recursive types (type, n) as (
      select min(${jobType}), 1 from ${jobs} where ${isOwn}
      union all
      select (select min(${jobType}) from ${jobs} where ${isOwn} and ${jobType} > types.type), n + 1 from types
      where types.type is not null and n <= ${skipped + limit}
    )
    select type as jobType, json_array(json(${newest('completed')}), json(${newest('completed_with_warnings')}),
      json(${newest('partial_success')})) as runs
    from types where type is not null and n > ${skipped} order by n`
}
