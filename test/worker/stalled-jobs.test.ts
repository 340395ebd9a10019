import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { listJobs } from '../../src/store/list-jobs.ts'
import { aNewJob, createdJob, inside, readJob, recordedJob, reported, startedJob, store } from './fixtures.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** A job that counts as stalled after a minute of silence. */
const STALLING = { ...aNewJob, stallAfterSeconds: 60 }

/** Runs the alarm so many seconds after the last report. The clock then stays there. */
async function runAlarm(key: JobAddress, { after }: { after: number }): Promise<void> {
  const { job } = await readJob(key)
  vi.useFakeTimers({ toFake: ['Date'], now: job.updatedAt + after * 1_000 })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
}

async function stalledIds({ organizationId }: JobAddress): Promise<string[]> {
  const filter = { statuses: [], stalled: true as const }
  const page = { filter, sort: 'newest' as const, limit: 10, bytes: 1_000_000, withMetadata: true }
  const { jobs } = await listJobs(store, organizationId, page)
  return jobs.map(({ jobId }) => jobId)
}

test('a running job that is silent for longer than stall_after_seconds is flagged, also in the list', async () => {
  const key = await startedJob(STALLING)
  const before = await readJob(key)
  await runAlarm(key, { after: 59 })
  expect((await readJob(key)).job.stalledAt).toBeNull()
  expect(await stalledIds(key)).toEqual([])

  await runAlarm(key, { after: 61 })
  const { job } = await readJob(key)
  expect(job).toEqual({
    ...before.job,
    stalledAt: before.job.updatedAt + 61_000,
    revision: before.job.revision + 1,
  })
  expect((await recordedJob(key))?.job).toEqual(job)
  expect(await stalledIds(key)).toEqual([key.jobId])
})

test('a flag that the journal cannot store is tried again later, not over and over', async () => {
  const key = await startedJob(STALLING)
  const prototype = await inside(key, (storage) => Object.getPrototypeOf(storage) as DurableObjectStorage)
  const write = vi.spyOn(prototype, 'transactionSync').mockImplementation(() => {
    throw new Error('no room')
  })
  await runAlarm(key, { after: 61 })
  expect(await inside(key, (storage) => storage.getAlarm())).toBeGreaterThan(Date.now() + 10_000)
  write.mockRestore()
  await runAlarm(key, { after: 95 })
  expect((await readJob(key)).job.stalledAt).not.toBeNull()
})

test('a stalled job does not fail until it counts as abandoned', async () => {
  const key = await startedJob(STALLING)
  await runAlarm(key, { after: 61 })
  const { job } = await readJob(key)
  await runAlarm(key, { after: 29 * 86_400 })
  expect((await readJob(key)).job).toEqual(job)
  expect(job.status).toBe('in_progress')
})

test('a job that misses a deadline is flagged by its alarm, also in the list, and keeps the flag', async () => {
  const key = await createdJob({ ...aNewJob, startWithinSeconds: 60 })
  const { job } = await readJob(key)
  expect(await inside(key, (storage) => storage.getAlarm())).toBeLessThanOrEqual(job.createdAt + 60_000)
  await runAlarm(key, { after: 61 })
  expect((await readJob(key)).job).toMatchObject({ status: 'pending', lateAt: job.createdAt + 61_000 })
  const page = { sort: 'newest' as const, limit: 10, bytes: 1_000_000, withMetadata: true }
  const filter = { statuses: [], late: true as const }
  expect((await listJobs(store, key.organizationId, { ...page, filter })).jobs).toHaveLength(1)
  await reported(key, { markStarted: true })
  expect((await reported(key, { markCompleted: true })).job.lateAt).toBe(job.createdAt + 61_000)
})

test('the next report clears the flag, soon also in the list, and the silence counts from there', async () => {
  const key = await startedJob(STALLING)
  await runAlarm(key, { after: 61 })
  expect((await reported(key, { message: 'still here' })).job.stalledAt).toBeNull()
  vi.useRealTimers()
  await vi.waitFor(async () => expect(await stalledIds(key)).toEqual([]), { timeout: 5_000 })
  await runAlarm(key, { after: 61 })
  expect(await stalledIds(key)).toEqual([key.jobId])
})

test('a flagged job that finishes leaves the list of stalled jobs', async () => {
  const key = await startedJob(STALLING)
  await runAlarm(key, { after: 61 })
  const { job } = await reported(key, { markCompleted: true })
  expect(job).toMatchObject({ status: 'completed', stalledAt: null })
  expect(await stalledIds(key)).toEqual([])
})

test('a pending job is not flagged, nor is one without stall_after_seconds', async () => {
  const pending = await createdJob(STALLING)
  const unbounded = await startedJob()
  for (const key of [pending, unbounded]) {
    await runAlarm(key, { after: 86_400 })
    expect((await readJob(key)).job.stalledAt).toBeNull()
    expect(await stalledIds(key)).toEqual([])
  }
})

test('the alarm is set for the stall, even after the object was evicted', async () => {
  const key = await startedJob(STALLING)
  const { job } = await readJob(key)
  await runAlarm(key, { after: 1 })
  vi.useRealTimers()
  const due = job.updatedAt + 60_000
  expect(await inside(key, (storage) => storage.getAlarm())).toBe(due)
  await evictDurableObject(jobObject(env.JOBS, key))
  expect(await inside(key, (storage) => storage.getAlarm())).toBe(due)
  await runAlarm(key, { after: 61 })
  expect(await stalledIds(key)).toEqual([key.jobId])
})

test('a job that reports often has its alarm set rarely, because each setting writes a row', async () => {
  const key = await startedJob(STALLING)
  const alarm = await inside(key, (storage) => storage.getAlarm())
  for (let n = 0; n < 10; n++) await reported(key, { processedItems: n })
  expect(await inside(key, (storage) => storage.getAlarm())).toBe(alarm)
})
