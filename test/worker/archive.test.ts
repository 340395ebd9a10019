import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import {
  aJobKey,
  aKeyedRequest,
  aNewJob,
  anError,
  createdJob,
  HOUR,
  inside,
  keysOf,
  readJob,
  recordedJob,
  reported,
  runAlarmAt,
} from './fixtures.ts'

test('a finished job leaves its object after ARCHIVE_AFTER_SECONDS, and replies stay the same', async () => {
  const key = aJobKey()
  const toCreate = aKeyedRequest('create')
  const toReport = aKeyedRequest('report')
  const created = await jobObject(env.JOBS, key).create(key, aNewJob, toCreate)
  const entries = Array.from({ length: 150 }, (_, n) => anError(`sku-${n}`))
  const report = { errors: entries.slice(0, 120), warnings: [anError('w')] }
  const first = await jobObject(env.JOBS, key).report(key, report, toReport)
  await reported(key, { errors: entries.slice(120), markCompleted: true })
  const before = await readJob(key)

  await runAlarm(key, { after: HOUR - 1 })
  expect(await storedNames(key)).not.toEqual([])
  await runAlarm(key, { after: HOUR })
  expect(await storedNames(key)).toEqual(['archived'])

  for (const evicted of [false, true]) {
    if (evicted) await evictDurableObject(jobObject(env.JOBS, key))
    const object = jobObject(env.JOBS, key)
    expect(await readJob(key)).toEqual(before)
    const page = await object.entries(key, { kind: 'error', after: 100, limit: 40, errorType: null })
    expect(page).toMatchObject({ ok: true, next: 140 })
    expect(page.ok && keysOf(page.texts)).toEqual(entries.slice(100, 140).map(({ entityKey }) => entityKey))
    expect(await object.report(key, { stage: 'late' }, null)).toMatchObject({ reason: 'closed' })
    expect(await reported(key, { markCompleted: true })).toEqual(before)
    // The bodies are as they were; the status that comes with them is of now.
    const again = { status: before.job.status, replayed: true }
    expect(await object.report(key, report, toReport)).toEqual({ ...first, ...again })
    expect(await object.create(key, aNewJob, toCreate)).toEqual({ ...created, ...again })
    const reused = { ok: false, reason: 'key_reused' }
    expect(await object.report(key, report, { ...toReport, fingerprint: 'another' })).toEqual(reused)
    expect(await object.create(key, aNewJob, { ...toCreate, fingerprint: 'another' })).toEqual(reused)
  }
  expect(await storedNames(key)).toEqual(['archived'])

  // Only the archived mark is left, for as long as D1 has the job.
  await runAlarm(key, { after: HOUR + 90 * 24 * HOUR })
  expect(await storedNames(key)).toEqual([])
})

test('a job created without a key leaves nothing in its object', async () => {
  const key = await createdJob()
  await reported(key, { markCompleted: true })
  await runAlarm(key, { after: HOUR })
  expect(await storedNames(key)).toEqual([])
})

test('a create repeated while D1 is down makes no second job in place of an archived one', async () => {
  const key = aJobKey()
  const request = aKeyedRequest('create')
  const first = await jobObject(env.JOBS, key).create(key, aNewJob, request)
  await reported(key, { markCompleted: true })
  await runAlarm(key, { after: HOUR })
  await evictDurableObject(jobObject(env.JOBS, key))

  await env.DB.exec('alter table jobs rename to jobs_away')
  const unavailable = { ok: false, reason: 'unavailable' }
  expect(await jobObject(env.JOBS, key).create(key, aNewJob, request)).toEqual(unavailable)
  await env.DB.exec('alter table jobs_away rename to jobs')
  expect(await jobObject(env.JOBS, key).create(key, aNewJob, request)).toEqual({
    ...first,
    status: 'completed',
    replayed: true,
  })
})

test('a job that D1 has lost stays in its object and is written to D1 again', async () => {
  const key = await createdJob()
  await reported(key, { markCompleted: true })
  const before = await readJob(key)
  await env.DB.prepare('delete from jobs where job_id = ?').bind(key.jobId).run()
  await runAlarm(key, { after: HOUR })
  expect(await storedNames(key)).not.toEqual([])
  expect(await readJob(key)).toEqual(before)

  await runAlarm(key, { after: HOUR + 60_000 })
  expect(await recordedJob(key)).toEqual(before)
})

test('a canceled job is archived with its final report, which is answered again from D1', async () => {
  const key = await createdJob()
  const request = aKeyedRequest('final')
  await jobObject(env.JOBS, key).cancel(key, null)
  const final = { processedDelta: 3, errors: [anError('a')] }
  const first = await jobObject(env.JOBS, key).report(key, final, request)
  const before = await readJob(key)
  await runAlarm(key, { after: HOUR })
  expect(await storedNames(key)).toEqual([])
  expect(await recordedJob(key)).toEqual(before)
  expect(before.job).toMatchObject({ status: 'cancelled', processedItems: 3, keptErrors: 1 })
  expect(await jobObject(env.JOBS, key).report(key, final, request)).toEqual({ ...first, replayed: true })
  expect(await jobObject(env.JOBS, key).report(key, final, null)).toMatchObject({ reason: 'closed' })
})

test('a canceled job that only D1 has takes its final report, and no other', async () => {
  const key = await createdJob()
  await jobObject(env.JOBS, key).cancel(key, null)
  await inside(key, (storage) => storage.deleteAll())
  await evictDurableObject(jobObject(env.JOBS, key))

  const { job } = await reported(key, { processedDelta: 3 })
  expect(job).toMatchObject({ status: 'cancelled', processedItems: 3, revision: 3, epoch: 1 })
  expect(await jobObject(env.JOBS, key).report(key, { processedDelta: 3 }, null)).toMatchObject({
    reason: 'closed',
  })
  await vi.waitFor(async () => expect(await recordedJob(key)).toEqual(await readJob(key)), { timeout: 5_000 })
})

test('a live job that only D1 has is adopted, with the state of each entity', async () => {
  const key = await createdJob()
  await reported(key, { errors: [anError('a')], warnings: [anError('a'), anError('b')] })
  await vi.waitFor(async () => expect((await recordedJob(key))?.job.revision).toBe(2), { timeout: 5_000 })
  const before = await readJob(key)
  await inside(key, (storage) => storage.deleteAll())
  await evictDurableObject(jobObject(env.JOBS, key))

  expect(await readJob(key)).toEqual({ ...before, job: { ...before.job, epoch: 1 } })
  const { job } = await reported(key, { errors: [anError('a'), anError('b')], warnings: [anError('c')] })
  expect(job).toMatchObject({ failedItems: 2, warnedItems: 1, errorCount: 3, warningCount: 3, revision: 3 })
  await vi.waitFor(async () => expect(await recordedJob(key)).toEqual(await readJob(key)), { timeout: 5_000 })
})

test('an adopted job gets its alarm', async () => {
  const key = await createdJob({ ...aNewJob, stallAfterSeconds: 60 })
  const { job } = await reported(key, { markStarted: true })
  await inside(key, async (storage) => {
    await storage.deleteAll()
    await storage.deleteAlarm()
  })
  await evictDurableObject(jobObject(env.JOBS, key))
  await readJob(key)
  expect(await inside(key, (storage) => storage.getAlarm())).toBe(job.updatedAt + 60_000)
})

test('a report repeated while D1, which has the reply, is down gets “unavailable”', async () => {
  const key = await createdJob()
  const request = aKeyedRequest('last')
  const last = { processedItems: 3, markCompleted: true as const }
  const first = await jobObject(env.JOBS, key).report(key, last, request)
  await runAlarm(key, { after: HOUR })
  await env.DB.exec('alter table idempotent_replies rename to replies_away')
  expect(await jobObject(env.JOBS, key).report(key, last, request)).toEqual({
    ok: false,
    reason: 'unavailable',
  })
  await env.DB.exec('alter table replies_away rename to idempotent_replies')
  expect(await jobObject(env.JOBS, key).report(key, last, request)).toEqual({ ...first, replayed: true })
})

/** Runs the alarm so many ms after the job finished. */
async function runAlarm(key: JobAddress, { after }: { after: number }): Promise<void> {
  const { job } = await readJob(key)
  expect(await runAlarmAt(key, (job.completedAt ?? 0) + after)).toBe(true)
}

async function storedNames(key: JobAddress): Promise<string[]> {
  return await inside(key, (storage) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "select name from sqlite_master where name not like '%cf_%' and name not like 'sqlite%'",
      )
      .toArray()
    const filled = tables.filter(
      ({ name }) => storage.sql.exec(`select 1 from ${name} limit 1`).toArray().length > 0,
    )
    return [...filled.map(({ name }) => name), ...[...storage.kv.list()].map(([name]) => name)]
  })
}
