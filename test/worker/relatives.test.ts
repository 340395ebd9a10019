import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { MAX_COUNTED, MAX_LINKED } from '../../src/jobs/limits.ts'
import { findRelatives } from '../../src/store/find-relatives.ts'
import { openStore } from '../../src/store/store.ts'
import { aJobKey, store } from './fixtures.ts'
import { addJobs, PERIOD, queriesOf } from './many-jobs.ts'

const { organizationId } = aJobKey()
const COUNT = MAX_COUNTED + 5

beforeAll(async () => {
  await addJobs(organizationId, COUNT)
  await env.DB.prepare(
    `update jobs set parent_job_id = 'large', metadata = json_set(metadata, '$.import_job_id', 'A')
     where organization_id = ?`,
  )
    .bind(organizationId)
    .run()
  await env.DB.prepare(
    `update jobs set parent_job_id = 'small', total_items = 9223372036854775807 where organization_id = ? and job_id > ?`,
  )
    .bind(organizationId, `job_${(COUNT - 8).toString(16).padStart(32, '0')}`)
    .run()
  await addJobs(aJobKey().organizationId, PERIOD)
})

test('children are counted up to a bound, and their sums may exceed any integer of the database', async () => {
  const small = await findRelatives(store, { organizationId, jobId: 'small' })
  expect(small.hasMoreChildren).toBe(false)
  expect(small.children.map(({ count }) => count).reduce((a, b) => a + b)).toBe(7)
  expect(small.children.every(({ count, totalItems }) => totalItems === count * 2 ** 63)).toBe(true)

  await env.DB.prepare(`update jobs set parent_job_id = 'large' where organization_id = ?`)
    .bind(organizationId)
    .run()
  const large = await findRelatives(store, { organizationId, jobId: 'large' })
  expect(large.hasMoreChildren).toBe(true)
  expect(large.children.map(({ count }) => count).reduce((a, b) => a + b)).toBe(MAX_COUNTED)
})

test('linked jobs are told apart by the case of their ids, and the newest are shown', async () => {
  expect((await findRelatives(store, { organizationId, jobId: 'A' })).linkedFrom).toHaveLength(MAX_LINKED)
  expect((await findRelatives(store, { organizationId, jobId: 'a' })).linkedFrom).toEqual([])
  expect((await findRelatives(store, aJobKey())).linkedFrom).toEqual([])
})

test('a read of a job reads three rows for each child, in one call', async () => {
  let rows = 0
  const batch = async (statements: D1PreparedStatement[]) => {
    const results = await env.DB.batch(statements)
    rows += results.reduce((sum, { meta }) => sum + meta.rows_read, 0)
    return results
  }
  const prepare = (sql: string) => env.DB.prepare(sql)
  const { children } = await findRelatives(openStore({ prepare, batch } as unknown as D1Database), {
    organizationId,
    jobId: 'large',
  })
  expect(children.reduce((sum, { count }) => sum + count, 0)).toBe(MAX_COUNTED)
  // The second statement passes over as many, to see whether there are more.
  expect(rows).toBeLessThanOrEqual(3 * MAX_COUNTED + 10)
})

test('relatives and pages of children are found by an index', async () => {
  const queries: { sql: string; params: unknown[] }[] = []
  const prepare = (sql: string) => ({
    bind: (...params: unknown[]) => {
      queries.push({ sql, params })
      return env.DB.prepare(sql).bind(...params)
    },
  })
  const batch = (statements: D1PreparedStatement[]) => env.DB.batch(statements)
  const spied = openStore({ prepare, batch } as unknown as D1Database)
  await findRelatives(spied, { organizationId, jobId: 'A' })
  const plans = queries.map(({ sql, params }) => env.DB.prepare(`explain query plan ${sql}`).bind(...params))
  const { again } = await queriesOf(organizationId, {
    filter: { statuses: [], parentJobId: 'large' },
    limit: 20,
  })
  const explained = await env.DB.batch<{ detail: string }>([...plans, ...again('explain query plan ')])
  const steps = explained.map(({ results }) =>
    results.map(({ detail }) => detail).filter((step) => /jobs|job_terms/.test(step)),
  )
  const byPlace = 'SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (organization_id=? AND job_id=?)'
  expect(steps).toEqual([
    ['SEARCH jobs USING INDEX jobs_by_parent (organization_id=? AND parent_job_id=?)'],
    ['SEARCH jobs USING COVERING INDEX jobs_by_parent (organization_id=? AND parent_job_id=?)'],
    ['SEARCH job_terms USING PRIMARY KEY (organization_id=? AND term=?)', byPlace],
    [
      'SEARCH jobs USING COVERING INDEX jobs_by_parent (organization_id=? AND parent_job_id=?)',
      byPlace,
      `${byPlace} LEFT-JOIN`,
    ],
  ])
})
