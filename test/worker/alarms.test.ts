import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import {
  aJobKey,
  aKeyedRequest,
  aNewJob,
  createdJob,
  HOUR,
  inside,
  readJob,
  recordedJob,
  reported,
  runAlarmAt,
} from './fixtures.ts'
import { holdD1 } from './hold-d1.ts'

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

/** Makes timers 20 times as fast. Not fake timers: those would call the object back outside of its own context. */
function hurryTimers() {
  const setTimer = globalThis.setTimeout
  const hurried = (run: () => void, ms = 0) => setTimer(run, ms / 20)
  return vi.spyOn(globalThis, 'setTimeout').mockImplementation(hurried as never)
}

describe('Loading a job sets its alarm', () => {
  test('even if it is only read and a delivery is still due', async () => {
    const key = await createdJob({ ...aNewJob, callbackUrl: 'https://example.com/hook' })
    const { job } = await reported(key, { markCompleted: true })
    await vi.waitFor(async () => expect((await readJob(key)).job.attempts).toHaveLength(1))
    await loseAlarm(key)
    const { job: read } = await readJob(key)
    expect(await alarmOf(key)).toBe(read.nextDeliveryAt)
    expect(read.nextDeliveryAt).toBeGreaterThan(job.completedAt ?? 0)
  })

  test('for the day when it counts as abandoned', async () => {
    const key = await createdJob()
    await runDurableObjectAlarm(jobObject(env.JOBS, key))
    await loseAlarm(key)
    const { job } = await readJob(key)
    expect(await alarmOf(key)).toBe(job.updatedAt + 30 * DAY)
  })

  test('even if only the archived mark is left', async () => {
    const key = aJobKey()
    await jobObject(env.JOBS, key).create(key, aNewJob, aKeyedRequest())
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

test('a job without a report for 30 days fails, and then leaves its object like any other', async () => {
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

test('an alarm does not wait forever for D1', async () => {
  const key = await createdJob({ ...aNewJob, callbackUrl: 'https://example.com/hook' })
  const d1 = holdD1()
  const { job } = await reported(key, { markCompleted: true })
  const timers = hurryTimers()
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  timers.mockRestore()
  expect((await readJob(key)).job).toMatchObject({ attempts: [], nextDeliveryAt: job.completedAt })
  expect(await alarmOf(key)).toBeGreaterThan(Date.now() + 10_000)
  d1.letGo()
  await vi.waitFor(async () => expect((await recordedJob(key))?.job.status).toBe('completed'), {
    timeout: 20_000,
  })
}, 60_000)

describe('After the clock is set back an hour', () => {
  test('a silent job is flagged after the time that its creator set', async () => {
    const key = await createdJob({ ...aNewJob, stallAfterSeconds: 60 })
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
    const key = await createdJob({ ...aNewJob, callbackUrl: 'https://example.com/hook' })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR })
    await reported(key, { markCompleted: true })
    await runDurableObjectAlarm(jobObject(env.JOBS, key))
    vi.useRealTimers()
    expect((await readJob(key)).job.attempts).toHaveLength(1)
    await runAlarmAt(key, Date.now())
    expect((await readJob(key)).job.attempts).toHaveLength(2)
  })
})
