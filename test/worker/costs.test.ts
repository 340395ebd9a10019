import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { Report } from '../../src/jobs/job.ts'
import type { KeyedRequest } from '../../src/jobs/keyed-request.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { aKeyedRequest, anError, readJob, recordedJob, reported, startedJob } from './fixtures.ts'

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
const ERROR: Report = { processedItems: 6, errors: [anError('cost-1')] }
const KEYED: Report = { processedItems: 7, errors: [anError('cost-2')] }

test('a report costs the same on a job with 0, 1,000 and 100,000 entries', async () => {
  const table: Record<string, Record<string, Cost>> = {}
  for (const entries of [0, 1_000, 100_000]) {
    // Just below the limit, where errors still make rows, and not at a thousand, where the last error types are counted.
    const key = await jobWith(entries === 100_000 ? entries - 500 : entries)
    table[entries] = {
      counts: await costOf(key, COUNTS, null),
      'one error': await costOf(key, ERROR, null),
      'one error, with a key': await costOf(key, KEYED, aKeyedRequest()),
    }
  }
  for (const [entries, costs] of Object.entries(table)) console.log(`entries: ${entries}`, costs)

  expect(table[1_000]).toEqual(table[0])
  expect(table[100_000]).toEqual(table[0])
  // One row each for the job, the entry, its entity, the reply and the alarm. The alarm is set here because the last one
  // has just run; otherwise one report in 30 seconds sets it. In D1, an entry also changes the bytes of its
  // organization, which are one row.
  expect(table[0]).toEqual({
    counts: { objectRows: 2, d1CallsBeforeReply: 0, d1Statements: 1, d1RowsWritten: 1 },
    'one error': { objectRows: 4, d1CallsBeforeReply: 0, d1Statements: 2, d1RowsWritten: 3 },
    'one error, with a key': { objectRows: 5, d1CallsBeforeReply: 0, d1Statements: 2, d1RowsWritten: 3 },
  })
}, 120_000)

async function jobWith(entries: number): Promise<JobAddress> {
  const key = await startedJob()
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
