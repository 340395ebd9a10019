import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobReply } from '../../src/job-object/replies.ts'
import type { Report } from '../../src/jobs/apply-report.ts'
import type { KeyedRequest } from '../../src/jobs/keyed-request.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { aJobKey, anError, anOrder, createdJob, keysOf, readJob, recordedJob, reported } from './a-job.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a report sent again under its key is answered the same, and applied once', async () => {
  const key = await createdJob()
  const report: Report = { markStarted: true, processedItems: 1, errors: [anError('a')] }
  const first = await send(key, report, aRetry('k1'))
  await reported(key, { processedItems: 50, errors: [anError('b')], stage: 'later' })

  expect(await send(key, report, aRetry('k1'))).toEqual({ ...first, replayed: true })
  const { job, errors } = await readJob(key)
  expect(job).toMatchObject({ processedItems: 50, errorCount: 2, revision: 3 })
  expect(keysOf(errors)).toEqual(['a', 'b'])
})

test('retries that arrive together are applied once', async () => {
  const key = await createdJob()
  const replies = await Promise.all(range(20).map(() => send(key, { errors: [anError('a')] }, aRetry('k1'))))
  expect(replies.filter((reply) => reply.ok && !reply.replayed)).toHaveLength(1)
  expect((await readJob(key)).job).toMatchObject({ errorCount: 1, revision: 2 })
})

test('a key sent again with another body is refused, and nothing is applied', async () => {
  const key = await createdJob()
  await send(key, { processedItems: 1 }, aRetry('k1'))
  const reply = await send(key, { processedItems: 2 }, aRetry('k1', 'another body'))
  expect(reply).toEqual({ ok: false, reason: 'key_reused' })
  expect((await readJob(key)).job).toMatchObject({ processedItems: 1, revision: 2 })
})

test('a retry of the report that finished the job gets its answer, not a 409', async () => {
  const key = await createdJob()
  const last: Report = { processedItems: 100, markCompleted: true }
  const first = await send(key, last, aRetry('k1'))
  expect(await send(key, last, aRetry('k1'))).toEqual({ ...first, replayed: true })
  expect(await send(key, last, aRetry('k2'))).toMatchObject({ ok: false, reason: 'closed' })
})

test('answers outlive the instance that gave them', async () => {
  const key = await createdJob()
  const first = await send(key, { errors: [anError('a')] }, aRetry('k1'))
  await evictDurableObject(jobObject(env.JOBS, key))
  expect(await send(key, { errors: [anError('a')] }, aRetry('k1'))).toEqual({ ...first, replayed: true })
})

test('a refused report leaves its key free', async () => {
  const key = await createdJob()
  const tooLarge = { metadataPatch: { a: 'x'.repeat(70_000) } }
  expect(await send(key, tooLarge, aRetry('k1'))).toMatchObject({ reason: 'metadata_too_large' })
  expect(await send(key, { processedItems: 1 }, aRetry('k1'))).toMatchObject({ ok: true, replayed: false })
})

test('the newest 1,000 keys of a job are remembered', async () => {
  const key = await createdJob()
  await Promise.all(range(1_001).map((n) => send(key, { processedItems: n }, aRetry(`k${n}`))))
  expect(await send(key, { processedItems: 1 }, aRetry('k1'))).toMatchObject({ ok: true, replayed: true })
  expect(await send(key, { processedItems: 1_000 }, aRetry('k1000'))).toMatchObject({ replayed: true })
  expect(await send(key, { processedItems: 0 }, aRetry('k0'))).toMatchObject({ replayed: false })
  // That took the place of the oldest one.
  expect(await send(key, { processedItems: 1 }, aRetry('k1'))).toMatchObject({ replayed: false })
})

test('a key is remembered for 24 hours', async () => {
  const key = await createdJob()
  await send(key, { processedItems: 1 }, aRetry('k1'))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * 60 * 60 * 1_000 - 5_000 })
  expect(await send(key, { processedItems: 1 }, aRetry('k1'))).toMatchObject({ replayed: true })
  vi.setSystemTime(Date.now() + 10_000)
  expect(await send(key, { processedItems: 1 }, aRetry('k1'))).toMatchObject({ replayed: false })
})

test('a key used anew after its time keeps its new answer, wherever in the ring that lies', async () => {
  const key = await createdJob()
  const report: Report = { errors: [anError('a')] }
  await Promise.all(range(700).map((n) => send(key, report, aRetry(`k${n}`))))
  await send(key, report, aRetry('again'))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 60 * 60 * 1_000 })
  // The ring begins anew behind these, so that the newer answer has the lower slot.
  await Promise.all(range(302).map((n) => send(key, report, aRetry(`l${n}`))))
  expect(await send(key, report, aRetry('again'))).toMatchObject({ replayed: false })
  await evictDurableObject(jobObject(env.JOBS, key))
  expect(await send(key, report, aRetry('again'))).toMatchObject({ replayed: true })
})

test('a create sent again under its key is answered the same, and makes no second job', async () => {
  const key = aJobKey()
  const create = (retry: KeyedRequest) => jobObject(env.JOBS, key).create(key, anOrder, retry)
  const first = await create(aRetry('k1'))
  await reported(key, { markStarted: true, errors: [anError('a')] })

  expect(await create(aRetry('k1'))).toEqual({ ...first, replayed: true })
  expect(await create(aRetry('k1', 'another body'))).toEqual({ ok: false, reason: 'key_reused' })
  expect((await readJob(key)).job).toMatchObject({ status: 'in_progress', revision: 2 })
  expect((await recordedJob(key))?.job.revision).toBe(2)
})

test('a key that created a job more than 24 hours ago is refused in words of its own, and makes no second job', async () => {
  const key = aJobKey()
  const create = (request: KeyedRequest) => jobObject(env.JOBS, key).create(key, anOrder, request)
  await create(aRetry('k1'))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 60 * 60 * 1_000 })
  const expired = { ok: false, reason: 'key_expired', jobId: key.jobId }
  expect(await create(aRetry('k1'))).toEqual(expired)
  expect(await create(aRetry('k1', 'another body'))).toEqual(expired)
  expect((await readJob(key)).job.revision).toBe(1)
})

test('creates of one key that arrive together make one job', async () => {
  const key = aJobKey()
  const replies = await Promise.all(
    range(10).map(() => jobObject(env.JOBS, key).create(key, anOrder, aRetry('k1'))),
  )
  expect(replies.filter((reply) => reply.ok && !reply.replayed)).toHaveLength(1)
  expect(replies.every((reply) => reply.ok && reply.job.revision === 1)).toBe(true)
})

function send(key: JobAddress, report: Report, retry: KeyedRequest): Promise<JobReply> {
  return jobObject(env.JOBS, key).report(key, report, retry)
}

function aRetry(key: string, fingerprint = 'the body'): KeyedRequest {
  return { key, fingerprint }
}

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}
