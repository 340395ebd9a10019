import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobReply } from '../../src/job-object/replies.ts'
import type { Report } from '../../src/jobs/job.ts'
import type { KeyedRequest } from '../../src/jobs/keyed-request.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import {
  aJobKey,
  aKeyedRequest,
  aNewJob,
  anError,
  createdJob,
  HOUR,
  keysOf,
  readJob,
  recordedJob,
  reported,
} from './fixtures.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a report repeated with its key gets the same reply, and is applied once', async () => {
  const key = await createdJob()
  const report: Report = { markStarted: true, processedItems: 1, errors: [anError('a')] }
  const first = await send(key, report, aKeyedRequest('k1'))
  await reported(key, { processedItems: 50, errors: [anError('b')], stage: 'later' })

  expect(await send(key, report, aKeyedRequest('k1'))).toEqual({ ...first, replayed: true })
  const { job, errors } = await readJob(key)
  expect(job).toMatchObject({ processedItems: 50, errorCount: 2, revision: 3 })
  expect(keysOf(errors)).toEqual(['a', 'b'])
})

test('repeats that arrive at once are applied once', async () => {
  const key = await createdJob()
  const replies = await Promise.all(
    range(20).map(() => send(key, { errors: [anError('a')] }, aKeyedRequest('k1'))),
  )
  expect(replies.filter((reply) => reply.ok && !reply.replayed)).toHaveLength(1)
  expect((await readJob(key)).job).toMatchObject({ errorCount: 1, revision: 2 })
})

test('what workers add in parallel is added exactly once, however often each report is repeated', async () => {
  const added = fc.record({ worker: fc.nat(2), delta: fc.nat(1_000), times: fc.integer({ min: 1, max: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(added, { maxLength: 12 }), fc.nat(), async (reports, turn) => {
      const key = await createdJob()
      const sends = reports.flatMap(({ worker, delta, times }, n) => {
        const report: Report = { processedDelta: delta, counters: { [`worker-${worker}`]: delta } }
        return range(times).map(() => () => send(key, report, aKeyedRequest(`report ${n}`)))
      })
      // Some at once, and the others, repeats among them, later.
      const at = sends.length === 0 ? 0 : turn % sends.length
      await Promise.all(sends.slice(at).map((send) => send()))
      await Promise.all(sends.map((send) => send()))
      const sumOf = (some: typeof reports) => some.reduce((sum, { delta }) => sum + delta, 0)
      const byWorker = Object.entries(Object.groupBy(reports, ({ worker }) => `worker-${worker}`))
      expect((await readJob(key)).job).toMatchObject({
        revision: 1 + reports.length,
        processedItems: sumOf(reports),
        counters: Object.fromEntries(byWorker.map(([name, some = []]) => [name, sumOf(some)])),
      })
    }),
    { numRuns: 15 },
  )
})

test('a key repeated with another body is refused, and nothing is applied', async () => {
  const key = await createdJob()
  await send(key, { processedItems: 1 }, aKeyedRequest('k1'))
  const reply = await send(key, { processedItems: 2 }, aKeyedRequest('k1', 'another body'))
  expect(reply).toEqual({ ok: false, reason: 'key_reused' })
  expect((await readJob(key)).job).toMatchObject({ processedItems: 1, revision: 2 })
})

test('a repeat of the report that finished the job gets its reply, although other reports get 409', async () => {
  const key = await createdJob()
  const last: Report = { processedItems: 100, markCompleted: true }
  const first = await send(key, last, aKeyedRequest('k1'))
  expect(await send(key, last, aKeyedRequest('k1'))).toEqual({ ...first, replayed: true })
  expect(await send(key, last, aKeyedRequest('k2'))).toMatchObject({ ok: false, reason: 'closed' })
})

test('replies outlive the instance that gave them', async () => {
  const key = await createdJob()
  const first = await send(key, { errors: [anError('a')] }, aKeyedRequest('k1'))
  await evictDurableObject(jobObject(env.JOBS, key))
  expect(await send(key, { errors: [anError('a')] }, aKeyedRequest('k1'))).toEqual({
    ...first,
    replayed: true,
  })
})

test('a refused report leaves its key free', async () => {
  const key = await createdJob()
  const tooLarge = { metadataPatch: { a: 'x'.repeat(70_000) } }
  expect(await send(key, tooLarge, aKeyedRequest('k1'))).toMatchObject({ reason: 'metadata_too_large' })
  expect(await send(key, { processedItems: 1 }, aKeyedRequest('k1'))).toMatchObject({
    ok: true,
    replayed: false,
  })
})

test('the newest 1,000 keys of a job are remembered', async () => {
  const key = await createdJob()
  await Promise.all(range(1_001).map((n) => send(key, { processedItems: n }, aKeyedRequest(`k${n}`))))
  expect(await send(key, { processedItems: 1 }, aKeyedRequest('k1'))).toMatchObject({
    ok: true,
    replayed: true,
  })
  expect(await send(key, { processedItems: 1_000 }, aKeyedRequest('k1000'))).toMatchObject({ replayed: true })
  expect(await send(key, { processedItems: 0 }, aKeyedRequest('k0'))).toMatchObject({ replayed: false })
  // That replaced the oldest one.
  expect(await send(key, { processedItems: 1 }, aKeyedRequest('k1'))).toMatchObject({ replayed: false })
})

test('a key is remembered for 24 hours', async () => {
  const key = await createdJob()
  await send(key, { processedItems: 1 }, aKeyedRequest('k1'))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * HOUR - 5_000 })
  expect(await send(key, { processedItems: 1 }, aKeyedRequest('k1'))).toMatchObject({ replayed: true })
  vi.setSystemTime(Date.now() + 10_000)
  expect(await send(key, { processedItems: 1 }, aKeyedRequest('k1'))).toMatchObject({ replayed: false })
})

test('a key used again after its 24 hours keeps its new reply, wherever that lies in the ring', async () => {
  const key = await createdJob()
  const report: Report = { errors: [anError('a')] }
  await Promise.all(range(700).map((n) => send(key, report, aKeyedRequest(`k${n}`))))
  await send(key, report, aKeyedRequest('again'))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * HOUR })
  // After these the ring starts over, so the newer reply has the lower slot.
  await Promise.all(range(302).map((n) => send(key, report, aKeyedRequest(`l${n}`))))
  expect(await send(key, report, aKeyedRequest('again'))).toMatchObject({ replayed: false })
  await evictDurableObject(jobObject(env.JOBS, key))
  expect(await send(key, report, aKeyedRequest('again'))).toMatchObject({ replayed: true })
})

test('a create repeated with its key gets the same reply, and makes no second job', async () => {
  const key = aJobKey()
  const create = (request: KeyedRequest) => jobObject(env.JOBS, key).create(key, aNewJob, request)
  const first = await create(aKeyedRequest('k1'))
  await reported(key, { markStarted: true, errors: [anError('a')] })

  expect(await create(aKeyedRequest('k1'))).toEqual({ ...first, status: 'in_progress', replayed: true })
  expect(await create(aKeyedRequest('k1', 'another body'))).toEqual({ ok: false, reason: 'key_reused' })
  expect((await readJob(key)).job).toMatchObject({ status: 'in_progress', revision: 2 })
  expect((await recordedJob(key))?.job.revision).toBe(2)
})

test('a key that created a job more than 24 hours ago is refused as expired, and makes no second job', async () => {
  const key = aJobKey()
  const create = (request: KeyedRequest) => jobObject(env.JOBS, key).create(key, aNewJob, request)
  await create(aKeyedRequest('k1'))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * HOUR })
  const expired = { ok: false, reason: 'key_expired', jobId: key.jobId }
  expect(await create(aKeyedRequest('k1'))).toEqual(expired)
  expect(await create(aKeyedRequest('k1', 'another body'))).toEqual(expired)
  expect((await readJob(key)).job.revision).toBe(1)
})

test('creates with one key that arrive at once make one job', async () => {
  const key = aJobKey()
  const replies = await Promise.all(
    range(10).map(() => jobObject(env.JOBS, key).create(key, aNewJob, aKeyedRequest('k1'))),
  )
  expect(replies.filter((reply) => reply.ok && !reply.replayed)).toHaveLength(1)
  expect(replies.every((reply) => reply.ok && reply.revision === 1)).toBe(true)
})

function send(key: JobAddress, report: Report, request: KeyedRequest): Promise<JobReply> {
  return jobObject(env.JOBS, key).report(key, report, request)
}

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}
