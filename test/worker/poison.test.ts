import { env } from 'cloudflare:workers'
import { afterEach, expect, type Mock, test, vi } from 'vitest'
import { anError, createdJob, readJob, recordByAlarm, recordedJob, reported } from './fixtures.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  await env.DB.exec('drop trigger if exists poison')
})

test('a job that D1 refuses is retried ever more rarely, blocks no other job, and is logged at most once a minute', async () => {
  const poisoned = await createdJob()
  const other = await createdJob()
  await env.DB.exec(
    `create trigger poison before update on jobs when new.job_id = '${poisoned.jobId}' begin select raise(abort, 'poison'); end`,
  )
  const lines = vi.spyOn(console, 'error')
  const batches = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'batch')
  const startedAt = Date.now()

  await reported(poisoned, { markStarted: true, errors: [anError('a')] })
  await reported(other, { processedItems: 5 })
  await vi.waitFor(async () => expect((await recordedJob(other))?.job.processedItems).toBe(5), {
    timeout: 5_000,
  })
  // Its worker notices nothing.
  for (const n of [1, 2, 3]) await reported(poisoned, { processedItems: n })
  // It is tried again, further and further apart.
  await vi.waitFor(async () => expect(await failuresOf(batches)).toBeGreaterThanOrEqual(3), {
    timeout: 15_000,
  })
  expect(Date.now() - startedAt).toBeGreaterThan(2_000)
  const said = lines.mock.calls.filter(([line]) => String(line).includes(poisoned.jobId))
  expect(said.map(([line]) => JSON.parse(String(line)).event).toSorted()).toEqual([
    'job_not_recorded',
    'record_refused',
  ])

  await env.DB.exec('drop trigger poison')
  await recordByAlarm(poisoned)
  expect(await recordedJob(poisoned)).toEqual(await readJob(poisoned))
}, 30_000)

async function failuresOf({ mock }: Mock<D1Database['batch']>): Promise<number> {
  const settled = await Promise.allSettled(mock.results.map(({ value }) => value))
  return settled.filter(({ status }) => status === 'rejected').length
}
