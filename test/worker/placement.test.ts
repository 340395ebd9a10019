import { createExecutionContext, evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { hashServerApiKey, newServerApiKey } from '../../src/access/server-api-key.ts'
import type { Env } from '../../src/env.ts'
import worker from '../../src/index.ts'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobAddress, Placement } from '../../src/jobs/placement.ts'
import { insertApiKey } from '../../src/store/api-keys.ts'
import { findJob } from '../../src/store/find-job.ts'
import { placeOrganization } from '../../src/store/organizations.ts'
import { openStore } from '../../src/store/store.ts'
import { aJobKey, aNewJob, anError, inside, reported, store } from './fixtures.ts'

const second = openStore(env.DB_2)
const HERE: Placement = { database: 'DB', version: 1 }
const THERE: Placement = { database: 'DB_2', version: 2 }
const page = { kind: 'error', after: 0, limit: 100, errorType: null } as const

afterEach(() => void vi.restoreAllMocks())

async function aJobIn(placement: Placement): Promise<JobAddress> {
  const address = { ...aJobKey(), placement }
  expect((await jobObject(env.JOBS, address).create(address, aNewJob, null)).ok).toBe(true)
  return address
}

const at = (address: JobAddress, placement: Placement) => ({ ...address, placement })

async function entriesIn(database: D1Database, { jobId }: JobAddress): Promise<number | null> {
  return await database
    .prepare('select count(*) as n from job_entries where job_id = ?')
    .bind(jobId)
    .first<number>('n')
}

async function close({ organizationId }: JobAddress, isWhole: boolean): Promise<void> {
  await env.DB.prepare('insert or replace into departures values (?, ?, ?, ?)')
    .bind(organizationId, THERE.database, THERE.version, isWhole ? 1 : 0)
    .run()
}

test('a job is recorded, archived and served in the database of its organization, and in no other', async () => {
  const address = await aJobIn(THERE)
  await reported(address, { markStarted: true, errors: [anError('a')] })
  await evictDurableObject(jobObject(env.JOBS, address))
  // The alarm brings no placement.
  await runDurableObjectAlarm(jobObject(env.JOBS, address))
  expect(await findJob(second, address)).toMatchObject({ status: 'in_progress', errorCount: 1 })
  expect(await entriesIn(env.DB_2, address)).toBe(1)

  await reported(address, { markCompleted: true })
  await archive(address)
  expect(await inside(address, ({ kv }) => kv.get('job'))).toBeUndefined()
  await evictDurableObject(jobObject(env.JOBS, address))
  expect(await jobObject(env.JOBS, address).entries(address, page)).toMatchObject({
    ok: true,
    texts: { length: 1 },
  })
  expect(await jobObject(env.JOBS, address).groups(address)).toMatchObject({
    error: { groups: [{ count: 1 }] },
  })
  expect(await findJob(store, address)).toBeUndefined()
  expect(await entriesIn(env.DB, address)).toBe(0)
})

test('a newer placement moves all of a live job, an older one moves nothing back', async () => {
  const address = await aJobIn(HERE)
  await reported(address, { markStarted: true, errors: [anError('a'), anError('b')] })
  await runDurableObjectAlarm(jobObject(env.JOBS, address))
  expect(await entriesIn(env.DB, address)).toBe(2)

  await reported(at(address, THERE), { processedItems: 7 })
  await vi.waitFor(
    async () => expect(await findJob(second, address)).toMatchObject({ processedItems: 7 }),
    5_000,
  )
  expect(await entriesIn(env.DB_2, address)).toBe(2)
  await evictDurableObject(jobObject(env.JOBS, address))
  await reported(at(address, HERE), { markCompleted: true })
  expect(await findJob(second, address)).toMatchObject({ status: 'partial_success' })
  expect(await findJob(store, address)).toMatchObject({ status: 'in_progress', processedItems: 0 })
})

test('an object that nobody tells of the move learns of it from the database that refuses its records', async () => {
  const address = await aJobIn(HERE)
  await reported(address, { markStarted: true, errors: [anError('a')] })
  await runDurableObjectAlarm(jobObject(env.JOBS, address))
  await close(address, false)
  const done = await reported(address, { markCompleted: true })
  // Before the reply, as in the first database.
  expect(await findJob(second, address)).toMatchObject({
    status: done.job.status,
    revision: done.job.revision,
  })
  expect(await findJob(store, address)).toMatchObject({ status: 'in_progress' })
  expect(await entriesIn(env.DB_2, address)).toBe(1)
})

test('while an organization is on its way, a live job is not loaded from either database', async () => {
  const address = await aJobIn(HERE)
  await reported(address, { markStarted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, address))
  await inside(address, (storage) => storage.deleteAll())
  await evictDurableObject(jobObject(env.JOBS, address))
  await close(address, false)
  expect(await jobObject(env.JOBS, address).read(address)).toEqual({ ok: false, reason: 'unavailable' })

  const [row] = (await env.DB.prepare('select * from jobs where job_id = ?').bind(address.jobId).all())
    .results
  const columns = Object.entries({ ...row, processed_items: 55 })
  await env.DB_2.prepare(
    `insert into jobs (${columns.map(([name]) => name)}) values (${columns.map(() => '?')})`,
  )
    .bind(...columns.map(([, value]) => value))
    .run()
  await close(address, true)
  expect(await jobObject(env.JOBS, address).read(address)).toMatchObject({
    ok: true,
    body: expect.stringContaining('"processed_items":55'),
  })
})

test('while an organization is on its way, jobs are created, and those that are over are served', async () => {
  const closed = { ...aJobKey(), placement: HERE }
  await close(closed, false)
  const request = { key: 'k', fingerprint: 'f' }
  const created = await jobObject(env.JOBS, closed).create(closed, aNewJob, request)
  expect(created).toMatchObject({ ok: true })
  expect(await findJob(second, closed)).toMatchObject({ status: 'pending' })
  expect(await findJob(store, closed)).toBeUndefined()

  await reported(closed, { markFailed: 'no' })
  await archive(closed)
  await evictDurableObject(jobObject(env.JOBS, closed))
  expect(await jobObject(env.JOBS, closed).read(closed)).toMatchObject({ status: 'failed' })
})

test('a job that was archived in the old database is found in the new one, by old and new credentials', async () => {
  const address = await aJobIn(THERE)
  await reported(address, { markFailed: 'no' })
  await archive(address)
  await evictDurableObject(jobObject(env.JOBS, address))
  expect(await jobObject(env.JOBS, address).read(at(address, HERE))).toEqual({
    ok: false,
    reason: 'not_found',
  })
  await evictDurableObject(jobObject(env.JOBS, address))
  await close(address, true)
  for (const placement of [HERE, THERE])
    expect(await jobObject(env.JOBS, address).read(at(address, placement))).toMatchObject({
      status: 'failed',
    })
})

test('the placement comes with the key: a request makes no statement more for it', async () => {
  const { organizationId } = aJobKey()
  await placeOrganization(store, organizationId, async () => 'DB_2', Date.now())
  const key = newServerApiKey()
  await insertApiKey(store, {
    keyHash: await hashServerApiKey(key),
    keyId: crypto.randomUUID(),
    organizationIds: [organizationId, 'unplaced'],
    name: 'test',
    permissions: ['job:create', 'job:read'],
    createdAt: Date.now(),
    expiresAt: null,
  })
  const prepare = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'prepare')
  const asked = () => prepare.mock.calls.splice(0).map(([sql]) => sql)
  const send = async (method: string, path: string, body?: object) => {
    const request = new Request(`https://milepost.test${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${key}`,
        'Content-Type': 'application/json',
        'X-Organization-ID': organizationId,
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const reply = await worker.fetch(request as never, env as unknown as Env, createExecutionContext())
    return await reply.json<{ job_id: string; jobs: unknown[] }>()
  }

  const { job_id } = await send('POST', '/api/jobs/', { job_type: 'import', total_items: 1 })
  const keys = asked().filter((sql) => /api_keys|organizations/.test(sql))
  // The key with its placements, and its use, noted once an hour.
  expect(keys.map((sql) => sql.slice(0, 6))).toEqual(['select', 'update'])
  expect((await send('GET', `/api/jobs/${job_id}/status`)).job_id).toBe(job_id)
  expect(asked()).toEqual([])
  expect((await send('GET', '/api/jobs/')).jobs).toMatchObject([{ job_id }])
  expect(asked()).toHaveLength(1)
  expect(await findJob(second, { organizationId, jobId: job_id })).toBeDefined()
})

/** Archives a finished job as if its time had come. */
async function archive(address: JobAddress): Promise<void> {
  vi.useFakeTimers({ now: Date.now() + 2 * 24 * 60 * 60 * 1_000, toFake: ['Date'] })
  await runDurableObjectAlarm(jobObject(env.JOBS, address))
  vi.useRealTimers()
}
