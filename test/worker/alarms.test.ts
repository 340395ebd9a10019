import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { aJobKey, anOrder, createdJob, inside, readJob, recordedJob, reported } from './a-job.ts'
import { holdD1 } from './hold-d1.ts'

const HOUR = 60 * 60 * 1_000
const DAY = 24 * HOUR

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function alarmOf(key: JobAddress): Promise<number | null> {
  return inside(key, (storage) => storage.getAlarm())
}

async function loseAlarm(key: JobAddress): Promise<void> {
  await inside(key, (storage) => storage.deleteAlarm())
  await evictDurableObject(jobObject(env.JOBS, key))
}

async function runAlarmAt(key: JobAddress, now: number): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'], now })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  vi.useRealTimers()
}

describe('Whoever loads a job sees to its alarm', () => {
  test('be it that it was only read, with a delivery still due', async () => {
    const key = await createdJob({ ...anOrder, callbackUrl: 'https://example.com/hook' })
    const { job } = await reported(key, { markCompleted: true })
    await vi.waitFor(async () => expect((await readJob(key)).job.attempts).toHaveLength(1))
    await loseAlarm(key)
    const { job: read } = await readJob(key)
    expect(await alarmOf(key)).toBe(read.nextDeliveryAt)
    expect(read.nextDeliveryAt).toBeGreaterThan(job.completedAt ?? 0)
  })

  test('or that it waits to be abandoned', async () => {
    const key = await createdJob()
    await runDurableObjectAlarm(jobObject(env.JOBS, key))
    await loseAlarm(key)
    const { job } = await readJob(key)
    expect(await alarmOf(key)).toBe(job.updatedAt + 30 * DAY)
  })

  test('or that only the mark of an archived job is there', async () => {
    const key = aJobKey()
    await jobObject(env.JOBS, key).create(key, anOrder, { key: 'create', fingerprint: 'order' })
    const { job } = await reported(key, { markCompleted: true })
    await runDurableObjectAlarm(jobObject(env.JOBS, key))
    const leftAt = (job.completedAt ?? 0) + HOUR
    await runAlarmAt(key, leftAt)
    expect(await alarmOf(key)).toBe(leftAt + 90 * DAY)
    await loseAlarm(key)
    await readJob(key)
    expect(await alarmOf(key)).toBe(leftAt + 90 * DAY)
  })
})

test('a job whose worker is not heard of for 30 days is failed, and leaves its object like any other', async () => {
  const key = await createdJob()
  const { job } = await reported(key, { markStarted: true })
  await runAlarmAt(key, job.updatedAt + 30 * DAY - 1)
  expect((await readJob(key)).job.status).toBe('in_progress')
  expect(await alarmOf(key)).toBe(job.updatedAt + 30 * DAY)

  await runAlarmAt(key, job.updatedAt + 30 * DAY)
  const abandoned = (await readJob(key)).job
  expect(abandoned).toMatchObject({
    status: 'failed',
    errorMessage: 'Abandoned: nothing was reported for 30 days',
    completedAt: job.updatedAt + 30 * DAY,
  })
  expect((await recordedJob(key))?.job).toEqual(abandoned)
  expect(await jobObject(env.JOBS, key).report(key, { stage: 'late' }, null)).toMatchObject({
    reason: 'closed',
    status: 'failed',
  })
  await runAlarmAt(key, (abandoned.completedAt ?? 0) + HOUR)
  expect(await inside(key, (storage) => storage.kv.get('job'))).toBeUndefined()
})

test('an alarm does not wait for ever for a D1 that never answers', async () => {
  const key = await createdJob({ ...anOrder, callbackUrl: 'https://example.com/hook' })
  const d1 = holdD1()
  const { job } = await reported(key, { markCompleted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  expect((await readJob(key)).job).toMatchObject({ attempts: [], nextDeliveryAt: job.completedAt })
  expect(await alarmOf(key)).toBeGreaterThan(Date.now() + 10_000)
  d1.letGo()
  await vi.waitFor(async () => expect((await recordedJob(key))?.job.status).toBe('completed'), {
    timeout: 20_000,
  })
}, 60_000)

describe('Where the clock is set back an hour', () => {
  test('a silent job is flagged as soon after it as its creator said', async () => {
    const key = await createdJob({ ...anOrder, stallAfterSeconds: 60 })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR })
    await reported(key, { markStarted: true })
    vi.useRealTimers()
    const now = Date.now()
    await runAlarmAt(key, now)
    expect((await readJob(key)).job.updatedAt).toBe(now)
    await runAlarmAt(key, now + 60_000)
    expect((await readJob(key)).job.stalledAt).toBe(now + 60_000)
  })

  test('a delivery that was due in 5 s is made at once', async () => {
    const key = await createdJob({ ...anOrder, callbackUrl: 'https://example.com/hook' })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR })
    await reported(key, { markCompleted: true })
    await runDurableObjectAlarm(jobObject(env.JOBS, key))
    vi.useRealTimers()
    expect((await readJob(key)).job.attempts).toHaveLength(1)
    await runAlarmAt(key, Date.now())
    expect((await readJob(key)).job.attempts).toHaveLength(2)
  })
})
