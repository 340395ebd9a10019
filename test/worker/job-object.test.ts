import { abortAllDurableObjects, evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import { entryText } from '../../src/jobs/entry-text.ts'
import {
  aJobKey,
  aKeyedRequest,
  anError,
  createdJob,
  inside,
  keysOf,
  readJob,
  recordByAlarm,
  recordedJob,
  reported,
  store,
} from './fixtures.ts'
import { recordJob } from './record-job.ts'

test('500 reports at once, each with its own error, make 500 entries and revisions without a gap', async () => {
  const key = await createdJob()
  await Promise.all(range(500).map((n) => reported(key, { errors: [anError(`sku-${n}`)] })))
  const { job, errors } = await readJob(key)
  expect(job).toMatchObject({ revision: 501, errorCount: 500, failedItems: 500 })
  expect(errors).toHaveLength(100)
  const kept = await inside(key, (storage) =>
    storage.sql.exec<{ seq: number; text: string }>('select seq, text from entry order by seq').toArray(),
  )
  expect(kept.map(({ seq }) => seq)).toEqual(range(500).map((n) => n + 1))
  expect(new Set(keysOf(kept.map(({ text }) => text))).size).toBe(500)

  await recordByAlarm(key)
  expect(await recordedJob(key)).toEqual(await readJob(key))
  const [counted] = (
    await env.DB.prepare('select count(distinct text) as n from job_entries where job_id = ?')
      .bind(key.jobId)
      .all()
  ).results
  expect(counted).toEqual({ n: 500 })
})

test('each reply shows a job with its own report in it, and those committed together the same one', async () => {
  const key = await createdJob()
  const object = jobObject(env.JOBS, key)
  const replies = await Promise.all(
    range(20).map((n) => object.report(key, { metadataPatch: { [`report-${n}`]: true } }, null)),
  )
  const bodies = replies.map((reply) => (reply.ok ? reply.body : reply.reason))
  for (const [n, body] of bodies.entries()) {
    expect(JSON.parse(body).metadata).toMatchObject({ [`report-${n}`]: true })
  }
  expect(new Set(bodies).size).toBeLessThan(20)
})

test('a keyed report gets the same job again that it was shown, whatever was committed with it', async () => {
  const key = await createdJob()
  const object = jobObject(env.JOBS, key)
  const send = (n: number) => object.report(key, { processedItems: n }, aKeyedRequest(`key ${n}`))
  const replies = await Promise.all(range(20).map(send))
  await reported(key, { processedItems: 99 })
  for (const n of range(20)) expect(await send(n)).toEqual({ ...replies[n], replayed: true })
})

test('a new status is in D1 before the reply, and the rest follows by itself within about a second', async () => {
  const key = await createdJob()
  expect(await recordedJob(key)).toMatchObject({ job: { status: 'pending', revision: 1 } })
  await reported(key, { markStarted: true })
  expect(await recordedJob(key)).toMatchObject({ job: { status: 'in_progress', revision: 2 } })

  await reported(key, { processedItems: 7, errors: [anError('a')] })
  await vi.waitFor(async () => expect(await recordedJob(key)).toEqual(await readJob(key)), { timeout: 5_000 })
  expect((await recordedJob(key))?.job.processedItems).toBe(7)
})

test('after an eviction the job continues from its journal', async () => {
  const key = await createdJob()
  await reported(key, { markStarted: true, errors: [anError('a'), anError('b')] })
  const before = await readJob(key)

  await evictDurableObject(jobObject(env.JOBS, key))
  expect(await readJob(key)).toEqual(before)
  // The state of an entity also outlives the instance: when it fails again, it is not counted again.
  const after = await reported(key, { errors: [anError('b'), anError('c')] })
  expect(after.job).toMatchObject({ revision: before.job.revision + 1, failedItems: 3, errorCount: 4 })
  expect(keysOf(after.errors)).toEqual(['a', 'b', 'b', 'c'])
})

test('every acknowledged report survives, once, if the instance is torn down amid reports', async () => {
  const key = await createdJob()
  const acknowledged: string[] = []
  for (const round of range(5)) {
    const reports = range(40).map((n) => reported(key, { errors: [anError(`${round}-${n}`)] }))
    // Some got a reply. The others may be applied or not, but never in part.
    await reports[10]
    await abortAllDurableObjects()
    const settled = await Promise.allSettled(reports)
    acknowledged.push(
      ...range(40).flatMap((n) => (settled[n]?.status === 'fulfilled' ? [`${round}-${n}`] : [])),
    )
  }
  const { job } = await readJob(key)
  const kept = await inside(key, (storage) =>
    storage.sql
      .exec<{ text: string }>('select text from entry')
      .toArray()
      .map(({ text }) => JSON.parse(text).entity_key),
  )
  expect(acknowledged.length).toBeGreaterThanOrEqual(5 * 11)
  expect(kept).toEqual(expect.arrayContaining(acknowledged))
  expect(new Set(kept).size).toBe(kept.length)
  expect(job).toMatchObject({ revision: kept.length + 1, errorCount: kept.length, failedItems: kept.length })
})

test('a stale write to D1 changes nothing, not even entries', async () => {
  const key = await createdJob()
  const stale = await readJob(key)
  await reported(key, { markStarted: true, processedItems: 5 })
  const recorded = await recordedJob(key)

  const entry = { kind: 'error' as const, seq: 1, text: entryText(anError('ghost'), 0) }
  for (const revision of [1, 2]) {
    for (const onlyProgress of [true, false]) {
      const job = { ...stale.job, revision, totalItems: 666 }
      await recordJob(store, { key, job, entries: [entry], unfinished: false, onlyProgress })
    }
  }
  expect(await recordedJob(key)).toEqual(recorded)
})

test('a repeated write to D1 changes nothing', async () => {
  const key = await createdJob()
  const { job } = await readJob(key)
  const entry = { kind: 'error' as const, seq: 1, text: entryText(anError('a'), 0) }
  const record = { key, job: { ...job, revision: 2, errorCount: 1 }, entries: [entry], unfinished: false }
  await recordJob(store, { ...record, onlyProgress: true })
  const once = await recordedJob(key)
  await recordJob(store, { ...record, onlyProgress: true })
  await recordJob(store, { ...record, onlyProgress: false })
  expect(await recordedJob(key)).toEqual(once)
})

test('an object with an empty journal serves its job from D1', async () => {
  const key = await createdJob()
  await reported(key, { markStarted: true, errors: [anError('a')], markCompleted: true })
  const before = await readJob(key)
  await inside(key, (storage) => storage.deleteAll())
  await evictDurableObject(jobObject(env.JOBS, key))

  expect(await readJob(key)).toEqual(before)
  expect(await jobObject(env.JOBS, key).report(key, { stage: 'late' }, null)).toMatchObject({
    reason: 'closed',
  })
  expect(await reported(key, { markCompleted: true })).toEqual(before)
})

test('the same ID in another organization is another object, without the job', async () => {
  const key = await createdJob()
  const foreign = { ...aJobKey(), jobId: key.jobId }
  expect(await jobObject(env.JOBS, foreign).read(foreign)).toEqual({ ok: false, reason: 'not_found' })
  expect(await jobObject(env.JOBS, foreign).report(foreign, { stage: 'x' }, null)).toEqual({
    ok: false,
    reason: 'not_found',
  })
})

test('looking up a job that does not exist stores nothing', async () => {
  const key = aJobKey()
  await jobObject(env.JOBS, key).read(key)
  const tables = await inside(key, (storage) =>
    storage.sql.exec("select name from sqlite_master where name in ('entry', 'entity')").toArray(),
  )
  expect(tables).toEqual([])
})

test('a failed journal write is acknowledged to nobody, and memory stays as the disk is', async () => {
  const key = await createdJob()
  await reported(key, { processedItems: 1 })
  const before = await readJob(key)
  await inside(key, (storage) => storage.sql.exec('alter table entry rename to entry_gone'))
  const report = { processedItems: 3, errors: [anError('a')] }
  expect(await jobObject(env.JOBS, key).report(key, report, null)).toEqual({
    ok: false,
    reason: 'unavailable',
  })
  expect(await readJob(key)).toEqual(before)

  await inside(key, (storage) => storage.sql.exec('alter table entry_gone rename to entry'))
  const { job } = await reported(key, { errors: [anError('a')] })
  expect(job).toMatchObject({ revision: before.job.revision + 1, processedItems: 1, errorCount: 1 })
})

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}
