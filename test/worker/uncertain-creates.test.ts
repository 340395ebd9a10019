import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { Report } from '../../src/jobs/job.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { D1Timeout } from '../../src/store/bounded-d1.ts'
import { failD1 } from './fail-d1.ts'
import {
  aJobKey,
  aKeyedRequest,
  aNewJob,
  anError,
  archive,
  keysOf,
  loseStorage,
  readJob,
  recordByAlarm,
  reported,
  store,
  untilRecorded,
} from './fixtures.ts'
import { recordJob } from './record-job.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const create = (key: JobAddress) => jobObject(env.JOBS, key).create(key, aNewJob, aKeyedRequest())

/** A job that a keyed request created, with a report that D1 has, in an object that then lost its storage. */
async function aLostJob(report: Report): Promise<JobAddress> {
  const key = aJobKey()
  await create(key)
  await untilRecorded(key, (await reported(key, report)).job)
  await loseStorage(key)
  return key
}

const RUNNING: Report = { markStarted: true, processedItems: 40, errors: [anError('before')] }

describe('A keyed create repeated after its object lost the job', () => {
  test('waits for D1 while that is silent, however long', async () => {
    const key = await aLostJob(RUNNING)
    const d1 = failD1(new D1Timeout())
    expect(await create(key)).toEqual({ ok: false, reason: 'unavailable' })
    d1.restore()
    expect(await create(key)).toMatchObject({ ok: true, replayed: true })
    expect((await readJob(key)).job).toMatchObject({ status: 'in_progress', processedItems: 40 })
  })

  test('waits for D1 if that has the job, and only taking it over fails', async () => {
    const key = await aLostJob(RUNNING)
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'batch')
    batch.mockRejectedValueOnce(new Error('D1_ERROR: overloaded'))
    expect(await create(key)).toEqual({ ok: false, reason: 'unavailable' })
    expect(await create(key)).toMatchObject({ ok: true, replayed: true })
  })

  test('asks D1 even if the job was missing a moment ago', async () => {
    const key = aJobKey()
    expect(await jobObject(env.JOBS, key).read(key)).toEqual({ ok: false, reason: 'not_found' })
    const other = aJobKey()
    await create(other)
    const { job } = await reported(other, { markStarted: true, processedItems: 40 })
    const record = {
      key,
      job: { ...job, jobId: key.jobId },
      entries: [],
      unfinished: false,
      onlyProgress: false,
    }
    expect(await recordJob(store, record)).toEqual({ landed: true })
    expect(await create(key)).toMatchObject({ ok: true, replayed: true })
    expect((await readJob(key)).job).toMatchObject({ status: 'in_progress', processedItems: 40 })
  })

  test('goes on while D1 is down, and gives way to the job in D1 once that is back', async () => {
    const key = await aLostJob(RUNNING)
    const d1 = failD1()
    expect(await create(key)).toMatchObject({ ok: true, status: 'pending' })
    d1.restore()
    await recordByAlarm(key)
    const taken = await readJob(key)
    expect(taken.job).toMatchObject({ status: 'in_progress', processedItems: 40, errorCount: 1 })
    expect(keysOf(taken.errors)).toEqual(['before'])
  })

  test('keeps what was reported meanwhile: the log names what it replaces', async () => {
    const key = await aLostJob({ markFailed: 'the first worker died' })
    const lines = vi.spyOn(console, 'error')
    const d1 = failD1()
    await create(key)
    const again = await reported(key, { processedItems: 12, markFailed: 'the second one, too' })
    d1.restore()
    // The same epoch, revision and status as those of the job in D1: not the same job.
    expect(again.job).toMatchObject({ epoch: 0, revision: 2, status: 'failed' })
    await recordByAlarm(key)
    await untilRecorded(key, { errorMessage: 'the second one, too', processedItems: 12 })
    const logged = lines.mock.calls.map(([line]) => JSON.parse(String(line)))
    expect(logged).toContainEqual(expect.objectContaining({ event: 'record_conflict', kept: 'own' }))

    await archive(key)
    await evictDurableObject(jobObject(env.JOBS, key))
    expect((await readJob(key)).job).toMatchObject({
      errorMessage: 'the second one, too',
      processedItems: 12,
    })
  })
})
