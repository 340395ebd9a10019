import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import {
  aJobKey,
  aKeyedRequest,
  aNewJob,
  anError,
  archive,
  createdJob,
  inside,
  reported,
} from './fixtures.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const typed = (name: string, errorType: string) => ({ ...anError(name), errorType })

test('a finished job whose groups D1 does not have is counted when they are first asked for', async () => {
  const key = await createdJob()
  await reported(key, {
    errors: [typed('a', 'no_price'), typed('b', 'bad_row'), typed('c', 'no_price')],
    markCompleted: true,
  })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  const before = await jobObject(env.JOBS, key).groups(key)
  await inside(key, (storage) => storage.deleteAll())
  await evictDurableObject(jobObject(env.JOBS, key))

  expect(await jobObject(env.JOBS, key).groups(key)).toEqual(before)
  const { results } = await env.DB.prepare(
    'select rank, error_type, count, first_seq, last_seq from job_entry_groups where job_id = ? order by rank',
  )
    .bind(key.jobId)
    .all()
  expect(results).toEqual([
    { rank: 1, error_type: 'no_price', count: 2, first_seq: 1, last_seq: 3 },
    { rank: 2, error_type: 'bad_row', count: 1, first_seq: 2, last_seq: 2 },
  ])
})

test('groups that an earlier version counted, in an object or in D1, are counted again with their samples', async () => {
  const key = await createdJob()
  await reported(key, { errors: [typed('a', 'no_price'), typed('b', 'no_price')] })
  const groups = await jobObject(env.JOBS, key).groups(key)
  await inside(key, ({ sql, kv }) => {
    kv.put('job', { ...kv.get<object>('job'), version: 3 })
    sql.exec('drop table entry_group')
    sql.exec(`create table entry_group (
      kind text not null, error_type text not null, count integer not null, primary key (kind, error_type)
    ) without rowid`)
    sql.exec(`insert into entry_group values ('error', 'no_price', 2)`)
  })
  await evictDurableObject(jobObject(env.JOBS, key))
  expect(await jobObject(env.JOBS, key).groups(key)).toEqual(groups)

  await reported(key, { markCompleted: true })
  await archive(key)
  const { organizationId, jobId } = key
  await env.DB.batch([
    env.DB.prepare('update job_entry_groups set first_seq = null, last_seq = null where job_id = ?').bind(
      jobId,
    ),
    env.DB.prepare(
      "insert into job_entry_groups (organization_id, job_id, kind, rank, error_type, count) values (?, ?, 'error', 2, 'left', 1)",
    ).bind(organizationId, jobId),
  ])
  expect(await jobObject(env.JOBS, key).groups(key)).toEqual(groups)
})

test('groups that another count left in D1 do not keep a job in its object', async () => {
  const key = await createdJob()
  await reported(key, { errors: [typed('a', 'no_price')], markCompleted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  for (const rank of [2, 3]) {
    await env.DB.prepare('insert into job_entry_groups values (?, ?, ?, ?, ?, ?, 1, 1)')
      .bind(key.organizationId, key.jobId, 'error', rank, `left-${rank}`, 1)
      .run()
  }
  await archive(key)
  const groups = await jobObject(env.JOBS, key).groups(key)
  expect(groups).toMatchObject({ error: { groups: [{ errorType: 'no_price', count: 1 }], others: 0 } })
})

test('groups go to D1 in values of bounded size, whatever their names are made of', async () => {
  const key = await createdJob()
  for (let report = 0; report < 4; report++) {
    const errors = Array.from({ length: 50 }, (_, n) =>
      typed('a', `${report}-${n}-${'\u0001'.repeat(4_000)}`),
    )
    await reported(key, { errors })
  }
  await reported(key, { markCompleted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  const bind = vi.spyOn(Object.getPrototypeOf(env.DB.prepare('')) as D1PreparedStatement, 'bind')
  await archive(key)
  const sizes = bind.mock.calls.flat().map((value) => String(value).length)
  expect(Math.max(...sizes)).toBeLessThan(600_000)
  const groups = await jobObject(env.JOBS, key).groups(key)
  expect(JSON.stringify(groups).length).toBeLessThan(150_000)
})

test('heavy entries are counted as they come, not a thousand of them in one report', async () => {
  const key = await createdJob()
  const heavy = (name: string) => ({ ...typed(name, 'heavy'), message: 'm'.repeat(16_000) })
  for (let report = 0; report < 3; report++) {
    await reported(key, { errors: Array.from({ length: 20 }, (_, n) => heavy(`${report}-${n}`)) })
  }
  const counted = await inside(key, (storage) => storage.kv.get<{ error: number }>('counted'))
  expect(counted?.error).toBeGreaterThanOrEqual(40)
})

test('reading the groups of a job that has not changed writes nothing', async () => {
  const key = await createdJob()
  await reported(key, { errors: [anError('a')] })
  await jobObject(env.JOBS, key).groups(key)
  const kv = await inside(key, (storage) => Object.getPrototypeOf(storage.kv) as SyncKvStorage)
  const put = vi.spyOn(kv, 'put')
  await jobObject(env.JOBS, key).groups(key)
  expect(put).not.toHaveBeenCalled()
})

test('an object whose emptying failed is emptied by its next alarm', async () => {
  const key = aJobKey()
  await jobObject(env.JOBS, key).create(key, aNewJob, aKeyedRequest())
  await reported(key, { errors: [anError('a')], markCompleted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  const kv = await inside(key, (storage) => Object.getPrototypeOf(storage.kv) as SyncKvStorage)
  const put = kv.put
  const failing = vi.spyOn(kv, 'put').mockImplementation(function (
    this: SyncKvStorage,
    name: string,
    value: unknown,
  ) {
    if (name === 'archived') throw new Error('the disk is full')
    return put.call(this, name, value)
  })
  await expect(archive(key)).rejects.toThrow('the job stayed')
  failing.mockRestore()
  expect(await inside(key, (storage) => storage.getAlarm())).not.toBeNull()
  await archive(key)
})
