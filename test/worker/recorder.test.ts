import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import { Journal } from '../../src/job-object/journal.ts'
import type { Job, JobKey } from '../../src/jobs/job.ts'
import { type RecorderCalls, recorderOf } from '../../src/recorder/address.ts'
import { RecorderObject, type RecordReply } from '../../src/recorder/recorder-object.ts'
import { packRecord } from '../../src/store/record-jobs.ts'
import { aJob } from '../unit/fixtures.ts'
import { failD1 } from './fail-d1.ts'
import { aJobKey, createdJob, inside, recordedJob, reported, untilRecorded } from './fixtures.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  await env.DB.exec('drop trigger if exists poison')
})

const KEY = aJobKey()
/** A recorder that nobody else uses. */
function aRecorder(): RecorderCalls {
  return env.RECORDERS.getByName(`test/${crypto.randomUUID()}`) as unknown as RecorderCalls
}

/** A job that D1 does not have yet. */
const newJob = (given: Partial<Job> = {}) => aJob({ jobId: `job_${crypto.randomUUID()}`, ...given })

function record(recorder: RecorderCalls, job: Job, onlyProgress = false): Promise<RecordReply> {
  const key = { organizationId: KEY.organizationId, jobId: job.jobId }
  return recorder.record(packRecord({ key, job, entries: [], unfinished: false, onlyProgress }), 'DB')
}

const stored = (job: Job) => recordedJob({ organizationId: KEY.organizationId, jobId: job.jobId })
const spyOnBatches = () => vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'batch')
const LANDED = { ok: true, recording: { landed: true }, again: expect.any(Number) }

describe('A recorder', () => {
  test('writes what comes while a batch is under way in the next one, whatever its number', async () => {
    const recorder = aRecorder()
    const jobs = Array.from({ length: 200 }, () => newJob())
    const batches = spyOnBatches()
    const replies = await Promise.all(jobs.map((job) => record(recorder, job)))
    for (const reply of replies) expect(reply).toEqual(LANDED)
    expect(batches.mock.calls.length).toBeLessThanOrEqual(3)
    expect((await stored(jobs[199] ?? newJob()))?.job).toEqual(jobs[199])
  })

  test('tells each record apart: what is stale or of another creation changes nothing, and says so', async () => {
    const recorder = aRecorder()
    const [first, second, third] = [newJob(), newJob(), newJob()]
    await Promise.all([first, second, third].map((job) => record(recorder, { ...job, revision: 5 })))
    const [stale, other, newer] = await Promise.all([
      record(recorder, { ...first, revision: 4, processedItems: 66 }),
      record(recorder, { ...second, revision: 9, processedItems: 66, createdAt: second.createdAt + 1 }),
      record(recorder, { ...third, revision: 6, processedItems: 66 }, true),
    ])
    expect(stale).toMatchObject({ ok: true, recording: { landed: false, stored: { revision: 5 } } })
    expect(other).toMatchObject({ ok: true, recording: { landed: false, stored: { revision: 5 } } })
    expect(newer).toEqual(LANDED)
    expect((await stored(first))?.job.processedItems).toBe(0)
    expect((await stored(second))?.job.processedItems).toBe(0)
    expect((await stored(third))?.job.processedItems).toBe(66)
  })

  test('brings back a job that D1 has lost, though only its progress came', async () => {
    const recorder = aRecorder()
    const job = newJob({ revision: 7, processedItems: 7 })
    expect(await record(recorder, job, true)).toEqual(LANDED)
    expect((await stored(job))?.job).toEqual(job)
  })

  test('takes out what D1 refuses, and has the others land; the next time that goes alone', async () => {
    const recorder = aRecorder()
    const jobs = Array.from({ length: 40 }, () => newJob())
    const [poison] = jobs.slice(17)
    if (poison === undefined) throw new Error('there are forty')
    await env.DB.exec(
      `create trigger poison before insert on jobs when new.job_id = '${poison.jobId}' begin select raise(abort, 'poison'); end`,
    )
    const lines = vi.spyOn(console, 'error')
    const replies = await Promise.all(jobs.map((job) => record(recorder, job)))
    expect(replies.filter(({ ok }) => !ok)).toHaveLength(1)
    expect(replies[17]).toMatchObject({ ok: false })
    const logged = lines.mock.calls.map(([line]) => JSON.parse(String(line)))
    expect(logged).toContainEqual(expect.objectContaining({ event: 'record_refused', job_id: poison.jobId }))

    const batches = spyOnBatches()
    const again = await Promise.all(
      [poison, ...jobs.filter((job) => job !== poison)].map((job) =>
        record(recorder, { ...job, revision: 2 }),
      ),
    )
    expect(again.map(({ ok }) => ok)).toEqual([false, ...jobs.slice(1).map(() => true)])
    expect(batches.mock.calls.length).toBeLessThanOrEqual(4)
  })

  test('does not divide a batch while D1 is down', async () => {
    const recorder = aRecorder()
    const d1 = failD1()
    const batches = spyOnBatches()
    const replies = await Promise.all(Array.from({ length: 100 }, () => record(recorder, newJob())))
    expect(replies.every(({ ok }) => !ok)).toBe(true)
    expect(batches.mock.calls.length).toBeLessThan(12)
    d1.restore()
    expect(await record(recorder, newJob())).toEqual(LANDED)
  })

  test('sends ten batches a second at most, but has a status wait for none', async () => {
    const recorder = aRecorder()
    const job = newJob()
    await record(recorder, job)
    const startedAt = Date.now()
    for (let revision = 2; revision <= 5; revision++) await record(recorder, { ...job, revision }, true)
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(300)
    const statusAt = Date.now()
    for (let n = 0; n < 20; n++) await record(recorder, newJob())
    // One after another, ten a second would have taken two seconds.
    expect(Date.now() - statusAt).toBeLessThan(1_500)
  })
})

test('a job always has the same recorder, and jobs are spread over those there are', () => {
  const names = new Set<string>()
  const recorders = { getByName: (name: string) => names.add(name) } as unknown as DurableObjectNamespace
  for (let n = 0; n < 500; n++) {
    const key = aJobKey()
    for (const _ of [1, 2]) recorderOf({ RECORDERS: recorders }, 'DB', 4, key)
  }
  expect([...names].toSorted()).toEqual(['DB/0', 'DB/1', 'DB/2', 'DB/3'])
})

test('a job that was idle is not recorded again when its object wakes', async () => {
  const key = await createdJob()
  await vi.waitFor(async () => expect(await savedRevision(key)).toBe(1), { timeout: 5_000 })
  await evictDurableObject(jobObject(env.JOBS, key))
  const record = vi.spyOn(RecorderObject.prototype, 'record')
  await reported(key, { processedItems: 1 })
  await vi.waitFor(() => expect(record).toHaveBeenCalled(), { timeout: 5_000 })
  expect(record.mock.calls.map(([{ onlyProgress, state }]) => [onlyProgress, state.revision])).toEqual([
    [true, 2],
  ])
})

test('a record that a killed recorder drops does not conflict with the newer one of its own job', async () => {
  const key = await createdJob()
  await untilRecorded(key, { revision: 1 })
  const lines = vi.spyOn(console, 'error')
  const { promise: isNewerRecorded, resolve: allow } = Promise.withResolvers<void>()
  const record = vi.spyOn(RecorderObject.prototype, 'record').mockImplementationOnce(async () => {
    await isNewerRecorded
    throw new Error('the recorder was killed')
  })
  await reported(key, { processedItems: 1 })
  await vi.waitFor(() => expect(record).toHaveBeenCalledTimes(1), { timeout: 5_000 })
  const { job } = await reported(key, { markStarted: true })
  await untilRecorded(key, { revision: 3, status: 'in_progress' })
  allow()
  await vi.waitFor(() => expect(record).toHaveBeenCalledTimes(3))
  await Promise.all(record.mock.results.slice(1).map(({ value }) => value))
  const finished = await reported(key, { markCompleted: true })
  expect(finished.job).toMatchObject({ revision: 4, epoch: job.epoch })
  expect(lines.mock.calls).toEqual([])
})

/** The revision that the journal knows D1 to have. */
function savedRevision(key: JobKey): Promise<number | undefined> {
  return inside(key, (storage) => new Journal(storage).load()?.recorded.revision)
}
