import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { Report } from '../../src/jobs/job.ts'
import { MAX_ENTITIES, MAX_ERROR_TYPES, MAX_REPLY_BYTES } from '../../src/jobs/limits.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { utf8Bytes } from '../../src/jobs/utf8-bytes.ts'
import {
  aJobKey,
  aNewJob,
  anError,
  archive,
  createdJob,
  inside,
  readJob,
  recordedJob,
  reported,
} from './fixtures.ts'

const heavyMetadata = { note: 'x'.repeat(60_000) }

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function keyed(key: JobAddress, report: Report, n: number | string) {
  return jobObject(env.JOBS, key).report(key, report, { key: `k${n}`, fingerprint: JSON.stringify(report) })
}

function replyBytes(key: JobAddress): Promise<{ replies: number; bytes: number }> {
  return inside(key, (storage) =>
    storage.sql
      .exec<{ replies: number; bytes: number }>(
        'select count(*) as replies, coalesce(sum(octet_length(job)), 0) as bytes from reply',
      )
      .one(),
  )
}

test('a keyed report that changes nothing stores only its key, and a repeat gets the same reply', async () => {
  const key = await createdJob({ ...aNewJob, metadata: heavyMetadata })
  const finished = await reported(key, { markCompleted: true })
  for (let n = 0; n < 200; n++) await keyed(key, { markCompleted: true }, n)
  expect(await replyBytes(key)).toEqual({ replies: 200, bytes: 0 })
  expect(await keyed(key, { markCompleted: true }, 7)).toMatchObject({
    replayed: true,
    revision: finished.job.revision,
  })
  expect(await keyed(key, { markFailed: 'no' }, 7)).toEqual({ ok: false, reason: 'key_reused' })
})

test('a job keeps at most 4 MB of replies to keyed reports; older ones are still applied once', async () => {
  const key = await createdJob({ ...aNewJob, metadata: heavyMetadata })
  const replies = []
  for (let n = 1; n <= 100; n++) replies.push(await keyed(key, { processedItems: n }, n))
  const kept = await replyBytes(key)
  expect(kept.replies).toBe(100)
  expect(kept.bytes).toBeLessThanOrEqual(MAX_REPLY_BYTES)
  expect(kept.bytes).toBeGreaterThan(MAX_REPLY_BYTES * 0.95)

  for (const evicted of [false, true]) {
    if (evicted) await evictDurableObject(jobObject(env.JOBS, key))
    expect(await keyed(key, { processedItems: 100 }, 100)).toEqual({ ...replies[99], replayed: true })
    // The oldest key gets the job as it is now.
    const oldest = await keyed(key, { processedItems: 1 }, 1)
    expect(oldest).toMatchObject({ replayed: true, revision: 101 })
  }
  await keyed(key, { markCompleted: true }, 'end')
  await archive(key)
  const again = { status: 'completed', replayed: true }
  expect(await keyed(key, { processedItems: 100 }, 100)).toEqual({ ...replies[99], ...again })
  expect(await keyed(key, { processedItems: 1 }, 1)).toMatchObject({
    replayed: true,
    status: 'completed',
  })
  expect(await keyed(key, { processedItems: 1 }, 'new')).toMatchObject({ reason: 'closed' })
})

test('replies move to D1 in writes of bounded size', async () => {
  const key = await createdJob({ ...aNewJob, metadata: heavyMetadata })
  for (let n = 1; n <= 60; n++) await keyed(key, { processedItems: n }, n)
  await reported(key, { markCompleted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  const bound: number[] = []
  const statement = Object.getPrototypeOf(env.DB.prepare('')) as D1PreparedStatement
  const bind = statement.bind
  vi.spyOn(statement, 'bind').mockImplementation(function (this: D1PreparedStatement, ...values) {
    bound.push(Math.max(...values.map((value) => utf8Bytes(String(value)))))
    return bind.apply(this, values)
  })
  await archive(key)
  expect(Math.max(...bound)).toBeLessThan(700_000)
})

test('the first 1,000 error types are counted apart; entries of any other are counted together', async () => {
  const key = await createdJob()
  const errors = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({ ...anError(`${from + n}`), errorType: `type-${from + n}` }))
  for (let from = 0; from < 2_500; from += 500) await reported(key, { errors: errors(from, 500) })
  await reported(key, { errors: errors(0, 1), warnings: errors(0, 3) })
  const before = await jobObject(env.JOBS, key).groups(key)
  expect(before).toMatchObject({
    ok: true,
    error: { others: 2_501 - 101 },
    warning: { others: 0 },
  })
  expect(before.ok && before.error.groups[0]).toMatchObject({ errorType: 'type-0', count: 2 })
  const types = await inside(key, (storage) =>
    storage.sql.exec("select count(*) as n from entry_group where kind = 'error'").one(),
  )
  expect(types).toEqual({ n: MAX_ERROR_TYPES })
  await reported(key, { markCompleted: true })
  await archive(key)
  expect(await jobObject(env.JOBS, key).groups(key)).toEqual(before)
})

test('error types with names of 4 KB take at most a megabyte, and a reply names a few of them', async () => {
  const key = await createdJob()
  for (let from = 0; from < 1_500; from += 100) {
    const errors = Array.from({ length: 100 }, (_, n) => ({
      ...anError(`${from + n}`),
      errorType: `${from + n}`.padEnd(4_000, 'x'),
    }))
    await reported(key, { errors })
  }
  const reply = await jobObject(env.JOBS, key).groups(key)
  expect(reply.ok && reply.error.groups.length).toBe(32)
  expect(reply).toMatchObject({ error: { others: 1_500 - 32 } })
  const { bytes } = await inside(key, (storage) =>
    storage.sql
      .exec<{ bytes: number }>('select sum(octet_length(error_type)) as bytes from entry_group')
      .one(),
  )
  expect(bytes).toBeLessThanOrEqual(1024 * 1024)
})

test('entities beyond the bound are counted but not remembered, and the job says how many', async () => {
  const key = await createdJob()
  await reported(key, { errors: [anError('a')] })
  await inside(key, (storage) => {
    const stored = storage.kv.get<{ job: object }>('job')
    storage.kv.put('job', { ...stored, job: { ...stored?.job, keptEntities: MAX_ENTITIES } })
  })
  await evictDurableObject(jobObject(env.JOBS, key))
  const { job } = await reported(key, {
    errors: ['a', 'b', 'b', 'c'].map(anError),
    warnings: ['c', 'd'].map(anError),
  })
  expect(job).toMatchObject({
    failedItems: 3,
    warnedItems: 1,
    entitiesNotKept: 3,
    keptEntities: MAX_ENTITIES,
  })
  const rows = await inside(key, (storage) => storage.sql.exec('select entity_key from entity').toArray())
  expect(rows).toEqual([{ entity_key: 'a' }])
  await vi.waitFor(async () => expect((await recordedJob(key))?.job.entitiesNotKept).toBe(3), {
    timeout: 5_000,
  })
})

test('an object without a job stores nothing, and asks D1 once every few seconds', async () => {
  const key = aJobKey()
  const asked = vi.spyOn(Object.getPrototypeOf(env.DB.prepare('')) as D1PreparedStatement, 'raw')
  for (let n = 0; n < 5; n++) {
    expect(await jobObject(env.JOBS, key).read(key)).toEqual({ ok: false, reason: 'not_found' })
    expect(await jobObject(env.JOBS, key).report(key, { stage: 'x' }, null)).toMatchObject({
      reason: 'not_found',
    })
  }
  expect(asked).toHaveBeenCalledTimes(1)
  await inside(key, (storage) => {
    expect(storage.sql.exec('select name from sqlite_master').toArray()).toEqual([])
    expect([...storage.kv.list()]).toEqual([])
  })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6_000 })
  await jobObject(env.JOBS, key).read(key)
  expect(asked).toHaveBeenCalledTimes(2)
  // A job created under its ID is found at once.
  expect(await jobObject(env.JOBS, key).create(key, aNewJob, null)).toMatchObject({ ok: true })
  expect((await readJob(key)).job.status).toBe('pending')
})
