import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import { entryText } from '../../src/jobs/entry-text.ts'
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
  reported,
  runAlarmAt,
} from './fixtures.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const SKUS = ['a', 'b', 'c']

/** A finished job with three errors that D1 has. */
async function aFinishedJob(): Promise<JobAddress> {
  const key = await createdJob()
  await reported(key, { errors: SKUS.map(anError), markCompleted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  return key
}

/** Runs the alarm so many minutes after a finished job is due to leave its object. True if it has left. */
async function leaves(key: JobAddress, minutes = 0): Promise<boolean> {
  const { job } = await readJob(key)
  await runAlarmAt(key, (job.completedAt ?? 0) + HOUR + minutes * 60_000)
  return await inside(key, (storage) => storage.kv.get('job') === undefined)
}

async function errorsByPage(key: JobAddress): Promise<string[]> {
  const page = { kind: 'error' as const, after: 0, limit: 100, errorType: null }
  const reply = await jobObject(env.JOBS, key).entries(key, page)
  if (!reply.ok) throw new Error(reply.reason)
  return keysOf(reply.texts)
}

describe('A finished job stays in its object until D1 has all of it', () => {
  const change = (sql: string) => (key: JobAddress) => env.DB.prepare(sql).bind(key.jobId).run()
  const longer = entryText({ ...anError('b'), message: 'something else' }, 0)

  test.each<[string, (key: JobAddress) => Promise<unknown>]>([
    ['the job', change('delete from jobs where job_id = ?')],
    ['another state of the job', change("update jobs set status = 'in_progress' where job_id = ?")],
    ['an older state of the job', change('update jobs set revision = 1 where job_id = ?')],
    ['all entries', change('delete from job_entries where job_id = ?')],
    ['one entry', change('delete from job_entries where job_id = ? and seq = 2')],
    [
      'the text of an entry',
      change(`update job_entries set text = '${longer}' where job_id = ? and seq = 2`),
    ],
  ])('after D1 lost or changed %s', async (_, lose) => {
    const key = await aFinishedJob()
    await lose(key)
    expect(await leaves(key)).toBe(false)
    expect(await leaves(key, 1)).toBe(true)
    expect(await errorsByPage(key)).toEqual(SKUS)
    expect((await readJob(key)).job).toMatchObject({
      status: 'partial_success',
      keptErrors: 3,
      errorCount: 3,
    })
  })

  test('after D1 lost one entry of many: only the entries around it are written again', async () => {
    const key = await createdJob()
    for (let from = 0; from < 10_500; from += 500) {
      await reported(key, { errors: Array.from({ length: 500 }, (_, n) => anError(`sku-${from + n}`)) })
    }
    await reported(key, { markCompleted: true })
    await runDurableObjectAlarm(jobObject(env.JOBS, key))
    await env.DB.prepare('delete from job_entries where job_id = ? and seq = 10_100').bind(key.jobId).run()
    expect(await leaves(key)).toBe(false)
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'batch')
    expect(await leaves(key, 1)).toBe(true)
    const results: D1Result[][] = await Promise.all(batch.mock.results.map(({ value }) => value))
    const written = results.flat().reduce((sum, { meta }) => sum + meta.rows_written, 0)
    expect(written).toBeLessThan(20)
    const { count } = (await env.DB.prepare('select count(*) as count from job_entries where job_id = ?')
      .bind(key.jobId)
      .first<{ count: number }>()) ?? { count: 0 }
    expect(count).toBe(10_500)
  })
})

test('an object is emptied and marked in one step: if the mark cannot be stored, nothing is deleted', async () => {
  const key = aJobKey()
  const request = aKeyedRequest()
  const created = await jobObject(env.JOBS, key).create(key, aNewJob, request)
  await reported(key, { errors: [anError('a')], markCompleted: true })
  const kv = await inside(key, (storage) => Object.getPrototypeOf(storage.kv) as SyncKvStorage)
  const put = kv.put
  vi.spyOn(kv, 'put').mockImplementation(function (this: SyncKvStorage, name: string, value: unknown) {
    if (name === 'archived') throw new Error('the power is gone')
    return put.call(this, name, value)
  })
  expect(await leaves(key)).toBe(false)
  vi.restoreAllMocks()
  await inside(key, (storage) => {
    expect(storage.kv.get('archived')).toBeUndefined()
    expect(storage.sql.exec('select count(*) as n from entry').one()).toEqual({ n: 1 })
  })
  // The object no longer holds the job in memory, but replies the same.
  expect((await readJob(key)).job.status).toBe('partial_success')
  expect(await jobObject(env.JOBS, key).create(key, aNewJob, request)).toEqual({
    ...created,
    status: 'partial_success',
    replayed: true,
  })
})

test('the entry groups of an archived job are read by key: 20,000 entries cost no more than 20', async () => {
  const rows: number[] = []
  for (const reports of [1, 40]) {
    const key = await createdJob()
    for (let n = 0; n < reports; n++) {
      const errors = Array.from({ length: 500 }, (_, at) => ({
        ...anError(`${n}-${at}`),
        errorType: `type-${at % 7}`,
      }))
      await reported(key, { errors })
    }
    await reported(key, { markCompleted: true })
    await runDurableObjectAlarm(jobObject(env.JOBS, key))
    expect(await leaves(key)).toBe(true)
    const { meta } = await env.DB.prepare(
      'select * from job_entry_groups where organization_id = ? and job_id = ? and kind = ? and rank <= 100',
    )
      .bind(key.organizationId, key.jobId, 'error')
      .run()
    rows.push(meta.rows_read)
    const spy = vi.spyOn(Object.getPrototypeOf(env.DB.prepare('')) as D1PreparedStatement, 'raw')
    const groups = await jobObject(env.JOBS, key).groups(key)
    expect(groups.ok && groups.error.groups).toHaveLength(7)
    expect(spy).toHaveBeenCalledTimes(2)
    spy.mockRestore()
  }
  // Seven groups, and the row behind them where there is one.
  for (const count of rows) expect(count).toBeLessThanOrEqual(8)
})
