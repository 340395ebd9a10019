import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { type Costs, LIFE, LIFE_ERRORS, LIFE_REPORTS, NOTHING } from '../../scripts/simulate/counts.ts'
import { jobObject } from '../../src/job-object/address.ts'
import type { Report } from '../../src/jobs/job.ts'
import type { KeyedRequest } from '../../src/jobs/keyed-request.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { deleteOldJobs } from '../../src/store/delete-old-jobs.ts'
import { countCosts, holdTimers, trackTimers } from './count-costs.ts'
import {
  aJobKey,
  aKeyedRequest,
  aNewJob,
  anError,
  createdJob,
  HOUR,
  inside,
  readJob,
  recordByAlarm,
  recordedJob,
  reported,
  runAlarmAt,
  store,
} from './fixtures.ts'

/**
 * The cost of one report, counted instead of timed: rows that the object writes, calls of D1 before the reply, and what
 * the write takes that brings D1 up to date. None of it may depend on the number of entries.
 */
interface Cost {
  objectRows: number
  d1CallsBeforeReply: number
  d1Statements: number
  d1RowsWritten: number
}

afterEach(() => {
  vi.restoreAllMocks()
})

const COUNTS: Report = { processedItems: 5 }
const MESSAGE: Report = { processedItems: 5, message: 'half of it' }
const ERROR: Report = { processedItems: 6, errors: [anError('cost-1')] }
const KEYED: Report = { processedItems: 7, errors: [anError('cost-2')] }

test('a report costs the same on a job with 0, 1,000 and 20,000 entries', async () => {
  const table: Record<string, Record<string, Cost>> = {}
  for (const entries of [0, 1_000, 20_000]) {
    const key = await jobWith(entries)
    table[entries] = {
      counts: await costOf(key, COUNTS, null),
      'a message': await costOf(key, MESSAGE, null),
      'one error': await costOf(key, ERROR, null),
      'one error, with a key': await costOf(key, KEYED, aKeyedRequest()),
    }
  }
  for (const [entries, costs] of Object.entries(table)) console.log(`entries: ${entries}`, costs)

  expect(table[1_000]).toEqual(table[0])
  expect(table[20_000]).toEqual(table[0])
  // One row each for the job, the message, the entry, its entity, the reply and the alarm. The alarm is set here because the last one
  // has just run; otherwise one report in 30 seconds sets it. In D1, an entry also has a row in the index of
  // entities, and changes the bytes of its organization, which are one row.
  expect(table[0]).toEqual({
    counts: { objectRows: 2, d1CallsBeforeReply: 0, d1Statements: 1, d1RowsWritten: 1 },
    'a message': { objectRows: 3, d1CallsBeforeReply: 0, d1Statements: 1, d1RowsWritten: 1 },
    'one error': { objectRows: 4, d1CallsBeforeReply: 0, d1Statements: 2, d1RowsWritten: 4 },
    'one error, with a key': { objectRows: 5, d1CallsBeforeReply: 0, d1Statements: 2, d1RowsWritten: 4 },
  })
}, 120_000)

const DAY = 24 * HOUR

// docs/scale.md states these, and the simulation counts with them.
test('the life of a job', async () => {
  const key = aJobKey()
  const object = jobObject(env.JOBS, key)
  holdTimers()
  const take = await countCosts(key)
  const life: Record<string, Costs> = {}
  await object.create(key, aNewJob, null)
  life.create = await take()
  await reported(key, { markStarted: true })
  life.start = await take()
  for (let n = 1; n <= LIFE_REPORTS; n++) await reported(key, { processedItems: n })
  life.reports = await take()
  for (let n = 1; n <= LIFE_ERRORS; n++)
    await reported(key, { processedItems: LIFE_REPORTS, errors: [anError(`sku-${n}`)] })
  life.reportsWithError = await take()
  await recordByAlarm(key)
  life.alarmThatRecords = await take()
  await reported(key, { markCompleted: true })
  life.complete = await take()
  await runDurableObjectAlarm(object)
  life.alarmThatFindsAllRecorded = await take()
  await runAlarmAt(key, Date.now() + 2 * HOUR)
  life.archive = await take()
  expect(await deleteOldJobs(store, Date.now() + 2 * HOUR, 1)).toBe(1)
  life.delete = await take()

  for (const [step, costs] of Object.entries(LIFE)) {
    // A range also reads the row after it, which is there only if another job has one.
    const d1RowsRead = expect.toBeOneOf([0, 1, 2, 3].map((missing) => costs.d1RowsRead - missing))
    expect({ step, ...life[step] }).toEqual({ step, ...costs, d1RowsRead })
  }
  const sumOf = (unit: keyof Costs) => Object.values(life).reduce((sum, costs) => sum + costs[unit], 0)
  expect([sumOf('calls'), sumOf('calls') + sumOf('alarms') + sumOf('records')]).toEqual([103, 110])
  expect([sumOf('objectRows'), sumOf('d1RowsWritten')]).toEqual([135, 49])
})

test('labels, linked jobs and a parent cost a row each when the job is first recorded, and a report only if its links change', async () => {
  const key = aJobKey()
  const object = jobObject(env.JOBS, key)
  holdTimers()
  const take = await countCosts(key)
  const rows = async () => (await take()).d1RowsWritten
  const labels = { supplier: 'acme', market: 'de' }
  const links = { metadata: { import_job_id: 'job_1' }, parentJobId: 'job_2' }
  await object.create(key, { ...aNewJob, labels, ...links }, null)
  expect(await rows()).toBe(LIFE.create.d1RowsWritten + 4)
  await reported(key, { markStarted: true, message: 'half of it', metadataPatch: { page: 7 } })
  // A new status moves the job in the index of its parent, as in those of its type and status.
  expect(await rows()).toBe(LIFE.start.d1RowsWritten + 1)
  await reported(key, { metadataPatch: { import_job_id: 'job_2' } })
  await recordByAlarm(key)
  expect(await rows()).toBe(1 + 2)
})

test('a job asleep costs nothing: no timer of ours, and no alarm until it is abandoned or archived', async () => {
  const timers = trackTimers()
  const key = await createdJob()
  const take = await countCosts(key)
  await reported(key, { markStarted: true })
  await reported(key, { processedItems: 1, errors: [anError('sku')] })
  const { job } = await readJob(key)
  await vi.waitFor(async () => expect((await recordedJob(key))?.job.revision).toBe(job.revision), 5_000)
  await vi.waitFor(() => expect(timers.size).toBe(0), 5_000)
  const alarm = () => inside(key, (storage) => storage.getAlarm())

  // The alarm that would have recorded the job after a crash is set. It runs once more, and finds nothing to record.
  await take()
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  expect(await take()).toEqual({ ...NOTHING, alarms: 1, objectRows: 1 })
  expect(await alarm()).toBe(job.updatedAt + 30 * DAY)
  expect(timers.size).toBe(0)

  const { job: finished } = await reported(key, { markCompleted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  expect(await alarm()).toBe((finished.completedAt ?? 0) + HOUR)
  await vi.waitFor(() => expect(timers.size).toBe(0), 5_000)
}, 30_000)

test('a watcher costs one call, and keeps the object awake until it has gone', async () => {
  const key = await createdJob()
  const timers = trackTimers()
  await vi.waitFor(() => expect(timers.size).toBe(0))
  const take = await countCosts(key)
  const reply = await jobObject(env.JOBS, key).watch(key, null)
  if (!reply.ok || reply.events === null) throw new Error('it is not finished')
  const text = new Response(reply.events).text()
  expect(await take()).toEqual({ ...NOTHING, calls: 1 })
  expect(timers.size).toBe(1)
  await reported(key, { markCompleted: true })
  expect(await text).toContain('event: finished')
  await vi.waitFor(() => expect(timers.size).toBe(0))
})

async function jobWith(entries: number): Promise<JobAddress> {
  const key = await createdJob()
  await reported(key, { markStarted: true })
  for (let from = 0; from < entries; from += 500) {
    const count = Math.min(500, entries - from)
    await reported(key, { errors: Array.from({ length: count }, (_, n) => anError(`sku-${from + n}`)) })
  }
  await level(key)
  return key
}

async function costOf(key: JobAddress, report: Report, request: KeyedRequest | null): Promise<Cost> {
  await level(key)
  const object = await spyOnObject(key)
  const d1 = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'batch')
  await reported(key, report, request)
  const d1CallsBeforeReply = d1.mock.calls.length
  const objectRows = object.rows()
  object.restore()
  await level(key)
  const batches: D1Result[][] = await Promise.all(d1.mock.results.map(({ value }) => value))
  d1.mockRestore()
  const writes = batches.filter((results) => results.some(({ meta }) => meta.rows_written > 0)).flat()
  const d1RowsWritten = writes.reduce((sum, { meta }) => sum + meta.rows_written, 0)
  return { objectRows, d1CallsBeforeReply, d1Statements: writes.length, d1RowsWritten }
}

/** Waits until D1 has the job, including the write of a timer. */
async function level(key: JobAddress): Promise<void> {
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(jobObject(env.JOBS, key))
      expect((await readJob(key)).job.revision).toBe((await recordedJob(key))?.job.revision)
    },
    { timeout: 60_000 },
  )
}

async function spyOnObject(key: JobAddress) {
  const stub: DurableObjectStub = jobObject(env.JOBS, key)
  return await runInDurableObject(stub, (_: DurableObject, { storage }) => {
    const exec = vi.spyOn(storage.sql, 'exec')
    const put = vi.spyOn(storage.kv, 'put')
    const alarm = vi.spyOn(storage, 'setAlarm')
    return {
      rows: () =>
        exec.mock.results.reduce((sum, { value }) => sum + value.rowsWritten, 0) +
        put.mock.calls.length +
        alarm.mock.calls.length,
      restore: () => {
        for (const spy of [exec, put, alarm]) spy.mockRestore()
      },
    }
  })
}
