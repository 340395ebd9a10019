import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import { entryText } from '../../src/jobs/entry-text.ts'
import type { Job } from '../../src/jobs/job.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import {
  aJobKey,
  aKeyedRequest,
  aNewJob,
  anError,
  archive,
  createdJob,
  inside,
  keysOf,
  loseStorage,
  readJob,
  recordedJob,
  reported,
  store,
  untilRecorded,
} from './fixtures.ts'
import { holdD1 } from './hold-d1.ts'
import { recordJob } from './record-job.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** A job in progress that D1 has in full. */
async function aRecordedJob(): Promise<{ key: JobAddress; job: Job }> {
  const key = await createdJob()
  const { job } = await reported(key, { markStarted: true, errors: [anError('before')] })
  await untilRecorded(key, job)
  return { key, job }
}

/** A record that a lost object was sending to D1: a report with an error of its own. */
function lateRecord(key: JobAddress, job: Job) {
  const dead = { ...job, revision: job.revision + 3, processedItems: 77, keptErrors: 2, errorCount: 2 }
  const entries = [{ kind: 'error' as const, seq: 2, text: entryText(anError('of the dead'), 0) }]
  return { key, job: dead, entries, unfinished: false, onlyProgress: false }
}

test('a late write of an object that lost its storage changes nothing that its successor acknowledged', async () => {
  const { key, job } = await aRecordedJob()
  await loseStorage(key)
  await reported(key, { errors: [anError('after')] })
  expect(await recordJob(store, lateRecord(key, job))).toMatchObject({ landed: false })
  const finished = await reported(key, { markCompleted: true })
  expect(finished.job).toMatchObject({ status: 'partial_success', revision: 4, epoch: 1 })
  await archive(key)

  const archived = await readJob(key)
  expect(archived).toEqual(finished)
  expect(keysOf(archived.errors)).toEqual(['before', 'after'])
})

test('a late write that lands before the successor reads the job is part of the job', async () => {
  const { key, job } = await aRecordedJob()
  await loseStorage(key)
  await recordJob(store, lateRecord(key, job))
  const taken = await readJob(key)
  expect(taken.job).toMatchObject({ processedItems: 77, errorCount: 2, epoch: 1 })
  expect(keysOf(taken.errors)).toEqual(['before', 'of the dead'])
})

test('a late write that lands while the successor adopts the job is part of the job', async () => {
  const { key, job } = await aRecordedJob()
  await loseStorage(key)
  const batch = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'batch')
  const original = batch.getMockImplementation() ?? D1_BATCH
  batch.mockImplementationOnce(async function (this: D1Database, statements) {
    // Between reading the job and claiming it.
    await recordJob(store, lateRecord(key, job))
    return await original.call(this, statements)
  } as D1Database['batch'])
  expect((await readJob(key)).job).toMatchObject({ processedItems: 77, errorCount: 2, epoch: 1 })
})
const D1_BATCH = (Object.getPrototypeOf(env.DB) as D1Database).batch

test('a conflicting state in D1 is logged and replaced by the acknowledged one', async () => {
  const { key, job } = await aRecordedJob()
  const lines = vi.spyOn(console, 'error')
  await env.DB.prepare('update jobs set epoch = 7, revision = 99, processed_items = 1 where job_id = ?')
    .bind(key.jobId)
    .run()
  await env.DB.prepare("update job_entries set text = '{}' where job_id = ?").bind(key.jobId).run()
  await reported(key, { processedItems: 50, errors: [anError('mine')] })

  await untilRecorded(key, { processedItems: 50 })
  expect((await recordedJob(key))?.job).toMatchObject({ epoch: 8, revision: job.revision + 1 })
  expect(await recordedJob(key)).toEqual(await readJob(key))
  const said = lines.mock.calls.map(([line]) => JSON.parse(String(line)))
  expect(said).toContainEqual(
    expect.objectContaining({ event: 'record_conflict', job_id: key.jobId, stored_revision: 99 }),
  )
})

test('entries left behind by an unfinished write are not shown, and do not block the next ones', async () => {
  const { key } = await aRecordedJob()
  for (const seq of [2, 3]) {
    await env.DB.prepare('insert into job_entries values (?, ?, ?, ?, ?)')
      .bind(key.organizationId, key.jobId, 'error', seq, entryText(anError(`orphan-${seq}`), 0))
      .run()
  }
  await loseStorage(key)
  expect(keysOf((await readJob(key)).errors)).toEqual(['before'])
  await reported(key, { errors: [anError('next')], markCompleted: true })
  await archive(key)
  expect(keysOf((await readJob(key)).errors)).toEqual(['before', 'next'])
  const page = { kind: 'error' as const, after: 0, limit: 10, errorType: null }
  const listed = await jobObject(env.JOBS, key).entries(key, page)
  expect(listed.ok && keysOf(listed.texts)).toEqual(['before', 'next'])
})

test('an interrupted adoption starts again, and counts nothing twice', async () => {
  const { key, job } = await aRecordedJob()
  await loseStorage(key)
  const transaction = await inside(key, (storage) => Object.getPrototypeOf(storage) as DurableObjectStorage)
  vi.spyOn(transaction, 'transactionSync').mockImplementationOnce(() => {
    throw new Error('the disk is full')
  })
  expect(await jobObject(env.JOBS, key).read(key)).toEqual({ ok: false, reason: 'unavailable' })
  expect((await readJob(key)).job).toEqual({ ...job, epoch: 2 })
})

test('a keyed create makes no job while D1 does not answer: there may be one already', async () => {
  const key = aJobKey()
  const request = aKeyedRequest()
  const create = () => jobObject(env.JOBS, key).create(key, aNewJob, request)
  const first = await create()
  const { job } = await reported(key, { markStarted: true, errors: [anError('a')] })
  await untilRecorded(key, job)
  await loseStorage(key)

  const d1 = holdD1()
  expect(await create()).toEqual({ ok: false, reason: 'unavailable' })
  d1.letGo()
  await vi.waitFor(async () =>
    expect(await create()).toEqual({ ...first, status: 'in_progress', replayed: true }),
  )
  expect((await readJob(key)).job).toMatchObject({ status: 'in_progress', errorCount: 1, epoch: 1 })
})
