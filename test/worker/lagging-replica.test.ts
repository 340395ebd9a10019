import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { findJob } from '../../src/store/find-job.ts'
import { openReplica } from '../../src/store/store.ts'
import { aCaller } from './a-caller.ts'
import { reported, startedJob } from './fixtures.ts'

/**
 * D1 with a replica whose jobs stay as they are now. Like D1, it lets a session without constraint read from the replica;
 * every other read goes to the primary.
 */
async function withLaggingReplica(): Promise<D1Database> {
  await env.DB.exec('drop table if exists lagging_jobs; create table lagging_jobs as select * from jobs')
  const replica = {
    prepare: (query: string) => env.DB.prepare(query.replaceAll('"jobs"', '"lagging_jobs"')),
    batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
  }
  return {
    prepare: (query: string) => env.DB.prepare(query),
    batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    withSession: (constraint = 'first-unconstrained') =>
      constraint === 'first-unconstrained' ? replica : env.DB.withSession(constraint),
  } as unknown as D1Database
}

test('lists show the statuses that the jobs have, and the usage is current, while a replica is behind', async () => {
  const key = await startedJob()
  const d1 = await withLaggingReplica()
  await reported(key, { markCompleted: true })
  const behind = await findJob(openReplica(d1), key)
  expect(behind?.status).toBe('in_progress')

  const call = await aCaller(key.organizationId, { DB: d1 })
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
  const get = async (path: string): Promise<any> => (await call('GET', path)).json()
  const live = await get('/api/jobs/?status=pending,in_progress')
  const completed = await get('/api/jobs/?status=completed')
  expect(live.jobs).toEqual([])
  expect(completed.jobs).toMatchObject([{ job_id: key.jobId, status: 'completed' }])
  expect((await get('/api/jobs/')).jobs).toEqual(completed.jobs)
  expect(await get('/api/usage')).toMatchObject({ live_jobs: 0, jobs: 1 })
})
