import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import type { Job, JobKey } from '../../src/jobs/job.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, recordedJob, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'

/** Records this state of a job as its object would. */
async function record(key: JobKey, given: Partial<Job>, onlyProgress: boolean): Promise<void> {
  const job = aJob({ ...given, jobId: key.jobId })
  await recordJob(store, { key, job, entries: [], unfinished: false, onlyProgress })
}

test('a record changes its own job only, whichever other jobs were created in the same millisecond', async () => {
  const [key, other] = [aJobKey(), aJobKey()] as const
  const sameOrganization = { ...key, jobId: aJobKey().jobId }
  for (const each of [key, other, sameOrganization]) await record(each, {}, false)
  const before = [await recordedJob(other), await recordedJob(sameOrganization)]

  const batch = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'batch')
  await record(key, { revision: 2, processedItems: 9 }, true)
  expect((await recordedJob(key))?.job.processedItems).toBe(9)
  expect([await recordedJob(other), await recordedJob(sameOrganization)]).toEqual(before)
  const [results] = (await Promise.all(batch.mock.results.map(({ value }) => value))) as D1Result[][]
  expect(results?.map(({ meta }) => meta.changes)).toEqual([1])
})
