import { env } from 'cloudflare:workers'
import { JOB_STATUSES } from '../../src/jobs/job.ts'
import { type JobPageQuery, listJobs } from '../../src/store/list-jobs.ts'
import { openStore } from '../../src/store/store.ts'

export const START = 1_800_000_000_000
const TYPES = ['crawl', 'enrichment', 'import']
const TRIGGERS = ['ann', 'ben', 'cleo', 'nightly', null]
/** The jobs repeat after so many, when every combination of status, type, trigger and stall has come up. */
export const PERIOD = JOB_STATUSES.length * TYPES.length * TRIGGERS.length * 2

/**
 * Inserts so many jobs of an organization by SQL, from `first` on, `together` in each second. Every other job in progress
 * is stalled, and every fourth job is late.
 */
export async function addJobs(
  organizationId: string,
  count: number,
  { first = 0, together = 1 } = {},
): Promise<void> {
  await env.DB.prepare(
    `with recursive n (i) as (select cast(?2 as integer) union all select i + 1 from n where i < ?2 + ?3 - 1)
     insert into jobs (organization_id, job_id, job_type, status, triggered_by, created_at, updated_at, stalled_at, late_at,
       total_items, processed_items, failed_items, warned_items, error_count, warning_count, kept_errors,
       kept_warnings, metadata, labels, attempts, stages, pace, revision)
     select ?1, printf('job_%032x', i), ?4 ->> (i % 3), ?5 ->> (i % 7), ?6 ->> (i % 5), ?7 + (i / cast(?8 as integer)) * 1000, ?7,
       case when i % 7 = 1 and i % 2 = 0 then ?7 end, case when i % 4 = 0 then ?7 end, 9, i % 9, 0, 0, 0, 0, 0, 0,
       json_object('import_job_id', printf('from_%d', i / 10)), json_object('Shop', 'Berlin ' || (i % 2), 'plan', 'gold'),
       '[]', '[]', '[]', 1
     from n`,
  )
    .bind(
      organizationId,
      first,
      count,
      JSON.stringify(TYPES),
      JSON.stringify(JOB_STATUSES),
      JSON.stringify(TRIGGERS),
      START,
      together,
    )
    .run()
}

export const aPage: JobPageQuery = {
  filter: { statuses: [] },
  sort: 'newest',
  limit: 1_000,
  bytes: 1_000_000,
  withMetadata: true,
}

/** The number of jobs on a page, and the statements that made it. */
export async function queriesOf(organizationId: string, wanted: Partial<JobPageQuery>) {
  const queries: { sql: string; params: unknown[] }[] = []
  const prepare = (sql: string) => ({
    bind: (...params: unknown[]) => {
      queries.push({ sql, params })
      return env.DB.prepare(sql).bind(...params)
    },
  })
  const batch = (statements: D1PreparedStatement[]) => env.DB.batch(statements)
  const spied = openStore({ prepare, batch } as unknown as D1Database)
  const { jobs } = await listJobs(spied, organizationId, { ...aPage, ...wanted })
  const again = (prefix = '') =>
    queries.map(({ sql, params }) => env.DB.prepare(`${prefix}${sql}`).bind(...params))
  return { again, queries, found: jobs.length }
}
