import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Job } from '../../src/jobs/job.ts'
import { findJobTypes, type JobTypeRuns } from '../../src/store/job-types.ts'
import { openStore } from '../../src/store/store.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'

const START = aJob({}).createdAt

async function record(organizationId: string, n: number, given: Partial<Job>): Promise<void> {
  const jobId = `job_${n}`
  const createdAt = START + n * 1_000
  const job = aJob({ jobId, createdAt, startedAt: createdAt, completedAt: createdAt + n, ...given })
  await recordJob(store, {
    key: { organizationId, jobId },
    job,
    entries: [],
    unfinished: false,
    onlyProgress: false,
  })
}

/** Inserts so many completed jobs of each of three types by SQL. */
async function addMany(organizationId: string, count: number): Promise<void> {
  await env.DB.prepare(
    `with recursive n (i) as (select 0 union all select i + 1 from n where i < ?2)
     insert into jobs (organization_id, job_id, job_type, status, created_at, started_at, completed_at, updated_at,
       total_items, processed_items, failed_items, warned_items, error_count, warning_count, kept_errors,
       kept_warnings, metadata, attempts, stages, pace, revision)
     select ?1, 'job_' || i, 'type ' || (i % 3), 'completed', i, i, i + 5, i, 9, 9, 0, 0, 0, 0, 0, 0, '{}', '[]', '[]', '[]', 1
     from n`,
  )
    .bind(organizationId, count)
    .run()
}

test('the types are listed in order, each with the newest completed jobs of its own', async () => {
  const [{ organizationId }, other] = [aJobKey(), aJobKey()]
  await record(organizationId, 1, { jobType: 'b', status: 'completed', processedItems: 3, failedItems: 1 })
  await record(organizationId, 2, { jobType: 'b', status: 'failed' })
  await record(organizationId, 3, { jobType: 'b', status: 'partial_success' })
  await record(organizationId, 4, { jobType: 'b', status: 'partial_success' })
  await record(organizationId, 5, { jobType: "a's", status: 'in_progress', completedAt: null })
  await record(organizationId, 6, { jobType: 'c', status: 'completed_with_warnings' })
  await record(other.organizationId, 7, { jobType: 'd', status: 'completed' })
  const run = (n: number, items = 0) => ({ createdAt: START + n * 1_000, duration: n, items })
  const all: JobTypeRuns[] = [
    { jobType: "a's", runs: [] },
    { jobType: 'b', runs: [run(1, 4), run(4)] },
    { jobType: 'c', runs: [run(6)] },
  ]
  expect(await findJobTypes(store, organizationId, { skipped: 0, limit: 10, runs: 1 })).toEqual({
    types: all,
    hasMore: false,
  })
  for (let skipped = 0; skipped < 3; skipped++) {
    const page = await findJobTypes(store, organizationId, { skipped, limit: 1, runs: 1 })
    expect(page).toEqual({ types: [all[skipped]], hasMore: skipped < 2 })
  }
  expect(
    (await findJobTypes(store, aJobKey().organizationId, { skipped: 0, limit: 5, runs: 5 })).types,
  ).toEqual([])
})

test('listing them reads as many rows for 60 jobs as for 6,000', async () => {
  const readBy = async (jobs: number) => {
    const { organizationId } = aJobKey()
    await addMany(organizationId, jobs)
    let rows = 0
    const prepare = (sql: string) => ({
      bind: (...params: unknown[]) => {
        const statement = env.DB.prepare(sql).bind(...params)
        const all = async () => {
          const result = await statement.all()
          rows += result.meta.rows_read
          return result
        }
        return { all }
      },
    })
    const spied = openStore({ prepare } as unknown as D1Database)
    const { types } = await findJobTypes(spied, organizationId, { skipped: 0, limit: 10, runs: 10 })
    expect(types.map(({ runs }) => runs.length)).toEqual([10, 10, 10])
    return rows
  }
  const few = await readBy(60)
  expect(few).toBeLessThan(150)
  expect(await readBy(6_000)).toBe(few)
})
