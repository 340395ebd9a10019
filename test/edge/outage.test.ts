import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aCaller, anError, aRunningJob, NEW_JOB, UNKNOWN_ID } from './fixtures.ts'
import { startEdge } from './harness.ts'

/** How long D1 may take to catch up after an outage of a few seconds, in ms. */
const CATCH_UP = 20_000
let edge: Edge
let d1: DatabaseSync

beforeAll(async () => {
  edge = await startEdge()
  d1 = new DatabaseSync(await edge.d1File(), { readOnly: true })
})
afterAll(async () => {
  d1?.close()
  await edge?.dispose()
})

/** What D1 has of a job, read without the edge: a request could make the job catch up. */
function inD1(jobId: string) {
  const row = d1.prepare('select status, processed_items, error_count from jobs where job_id = ?').get(jobId)
  const { n } = d1.prepare('select count(*) as n from job_entries where job_id = ?').get(jobId) as {
    n: number
  }
  return row === undefined ? undefined : ({ ...row, entries: n } as Record<string, unknown>)
}

test('while D1 takes no writes, jobs are created, reported on, finished and read; afterwards D1 catches up by itself', async () => {
  const { post, get, jobId, path, report } = await aRunningJob(edge)
  const holder = await holdD1()
  let created: string
  let cancelled: string
  let reports = 0
  try {
    for (let since = performance.now(); performance.now() - since < 2_000; ) {
      reports++
      const reply = await report({ processed_items: 5, error: anError })
      expect(reply).toMatchObject({ status: 200, body: { error_count: reports } })
    }
    const first = await post('/api/jobs/', NEW_JOB, { 'Idempotency-Key': 'k' })
    expect(first).toMatchObject({ status: 200, body: { status: 'pending' } })
    expect(await post('/api/jobs/', NEW_JOB, { 'Idempotency-Key': 'k' })).toMatchObject({
      status: 200,
      text: first.text,
    })
    created = first.body.job_id
    cancelled = (await post('/api/jobs/', NEW_JOB)).body.job_id
    expect(await post(`/api/jobs/${cancelled}/cancel`)).toMatchObject({
      status: 200,
      body: { status: 'cancelled' },
    })
    // The final report of its worker is taken, and no other.
    for (const status of [200, 409])
      expect(await post(`/api/jobs/${cancelled}/progress`, { processed_delta: 2 })).toMatchObject({ status })
    expect(await report({ mark_completed: true })).toMatchObject({
      status: 200,
      body: { status: 'partial_success' },
    })
    expect(await get(path)).toMatchObject({
      status: 200,
      body: { status: 'partial_success', processed_items: 5 },
    })
    expect(await get(`${path}/status`)).toMatchObject({ status: 200, body: { status: 'partial_success' } })
    expect((await get(`${path}/errors?limit=1000`)).body.errors).toHaveLength(reports)
    expect(await get(`/api/jobs/${created}`)).toMatchObject({ status: 200, body: { status: 'pending' } })
    expect([inD1(jobId)?.status, inD1(created), inD1(cancelled)]).toEqual([
      'in_progress',
      undefined,
      undefined,
    ])
  } finally {
    holder.letGo()
  }

  await vi.waitFor(
    () => {
      expect(inD1(jobId)).toEqual({
        status: 'partial_success',
        processed_items: 5,
        error_count: reports,
        entries: reports,
      })
      expect(inD1(created)).toMatchObject({ status: 'pending' })
      expect(inD1(cancelled)).toMatchObject({ status: 'cancelled', processed_items: 2 })
    },
    { timeout: CATCH_UP, interval: 200 },
  )
})

test('a change of status waits a while for D1, and is then acknowledged without it', async () => {
  const { report } = await aRunningJob(edge)
  const holder = await holdD1()
  try {
    const since = performance.now()
    expect(await report({ mark_completed: true })).toMatchObject({
      status: 200,
      body: { status: 'completed' },
    })
    expect(performance.now() - since).toBeLessThan(4_000)
  } finally {
    holder.letGo()
  }
})

test('while keys cannot be looked up, a known key works, and an unknown one gets 503 instead of 401', async () => {
  const { get, path, report } = await aRunningJob(edge)
  const unseen = await aCaller(edge)
  await withoutTable('api_keys', async () => {
    expect(await report({ processed_items: 3 })).toMatchObject({ status: 200, body: { processed_items: 3 } })
    expect((await get(path)).status).toBe(200)
    const reply = await unseen.post('/api/jobs/', NEW_JOB)
    expect({ status: reply.status, retryAfter: reply.headers.get('Retry-After') }).toEqual({
      status: 503,
      retryAfter: expect.stringMatching(/^\d+$/),
    })
    expect(reply.body).toEqual({ detail: expect.any(String) })
  })
  expect((await unseen.post('/api/jobs/', NEW_JOB)).status).toBe(200)
})

test('while D1 returns no jobs, lists and unknown jobs get 503 with Retry-After; live jobs go on', async () => {
  const { post, get, jobId, path, report } = await aRunningJob(edge)
  const { body: finished } = await post('/api/jobs/', NEW_JOB)
  let created = ''
  await withoutTable('jobs', async () => {
    for (const away of ['/api/jobs/', '/api/jobs/?status=pending&limit=1', `/api/jobs/${UNKNOWN_ID}`]) {
      const reply = await get(away)
      expect({
        away,
        status: reply.status,
        retryAfter: reply.headers.get('Retry-After'),
        body: reply.body,
      }).toEqual({
        away,
        status: 503,
        retryAfter: '5',
        body: { detail: 'Temporarily unavailable' },
      })
    }
    expect(await report({ processed_items: 2 })).toMatchObject({ status: 200, body: { processed_items: 2 } })
    expect(await get(path)).toMatchObject({ status: 200, body: { processed_items: 2 } })
    expect((await post(`/api/jobs/${finished.job_id}/progress`, { mark_failed: 'gone' })).status).toBe(200)
    const reply = await post('/api/jobs/', NEW_JOB, { 'Idempotency-Key': 'k' })
    expect(reply.status).toBe(200)
    created = reply.body.job_id
  })

  expect((await get('/api/jobs/')).status).toBe(200)
  await vi.waitFor(
    () => {
      expect(inD1(jobId)).toMatchObject({ status: 'in_progress', processed_items: 2 })
      expect(inD1(finished.job_id)).toMatchObject({ status: 'failed' })
      expect(inD1(created)).toMatchObject({ status: 'pending' })
    },
    { timeout: CATCH_UP, interval: 200 },
  )
  const listed = (await get('/api/jobs/')).body.jobs.map(({ job_id }: { job_id: string }) => job_id)
  expect(listed.toSorted()).toEqual([jobId, finished.job_id, created].toSorted())
})

/** Blocks all writes to D1 until `letGo`. */
async function holdD1(): Promise<{ letGo: () => void }> {
  const holder = new DatabaseSync(await edge.d1File(), { timeout: 5_000 })
  holder.exec('begin immediate')
  const letGo = () => {
    holder.exec('rollback')
    holder.close()
  }
  return { letGo }
}

/** Runs `happen` while D1 cannot find one of its tables. */
async function withoutTable(name: string, happen: () => Promise<void>): Promise<void> {
  const database = await edge.d1()
  await database.prepare(`alter table ${name} rename to ${name}_away`).run()
  try {
    await happen()
  } finally {
    await database.prepare(`alter table ${name}_away rename to ${name}`).run()
  }
}
