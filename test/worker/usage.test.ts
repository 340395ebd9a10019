import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import { isFinished, JOB_STATUSES, type Job, type JobKey, LIVE_STATUSES } from '../../src/jobs/job.ts'
import type { Usage } from '../../src/jobs/usage.ts'
import { utf8Bytes } from '../../src/jobs/utf8-bytes.ts'
import { claimJob } from '../../src/store/claim-job.ts'
import { deleteOldJobs } from '../../src/store/delete-old-jobs.ts'
import { findUsage } from '../../src/store/find-usage.ts'
import { aJob } from '../unit/fixtures.ts'
import { aCaller } from './a-caller.ts'
import { failD1 } from './fail-d1.ts'
import { aJobKey, anError, createdJob, inside, readJob, recordedJob, reported, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const usageOf = ({ organizationId }: JobKey) => findUsage(store, organizationId)

/** Records this state of a job as its object would. */
async function record(key: JobKey, given: Partial<Job>, onlyProgress = false): Promise<boolean> {
  const job = aJob({ ...given, jobId: key.jobId })
  return (await recordJob(store, { key, job, entries: [], unfinished: false, onlyProgress })).landed
}

describe('D1 counts what an organization has in it', () => {
  test('from the first job on', async () => {
    const key = aJobKey()
    expect(await usageOf(key)).toEqual({ liveJobs: 0, jobs: 0, entryBytes: 0 })
    await record(key, { entryBytes: 7 })
    await record({ ...key, jobId: 'job_2' }, { status: 'failed', entryBytes: 3 })
    expect(await usageOf(key)).toEqual({ liveJobs: 1, jobs: 2, entryBytes: 10 })
    expect(await usageOf(aJobKey())).toEqual({ liveJobs: 0, jobs: 0, entryBytes: 0 })
  })

  test('once, however often a record is repeated', async () => {
    const key = aJobKey()
    for (let n = 0; n < 3; n++) await record(key, { entryBytes: 7 })
    const progress = { revision: 2, entryBytes: 9 }
    for (let n = 0; n < 3; n++) await record(key, progress, true)
    for (let n = 0; n < 3; n++) await record(key, { ...progress, revision: 3, status: 'completed' })
    expect(await usageOf(key)).toEqual({ liveJobs: 0, jobs: 1, entryBytes: 9 })
  })

  test('by the states that land, and not by a late one of a replaced object', async () => {
    const key = aJobKey()
    const job = aJob({ jobId: key.jobId, entryBytes: 5 })
    await record(key, job)
    await claimJob(store, key, job)
    expect(await record(key, { entryBytes: 99, revision: 7, status: 'failed' })).toBe(false)
    expect(await usageOf(key)).toEqual({ liveJobs: 1, jobs: 1, entryBytes: 5 })
    expect(await record(key, { entryBytes: 6, epoch: 1, revision: 2, status: 'failed' })).toBe(true)
    expect(await usageOf(key)).toEqual({ liveJobs: 0, jobs: 1, entryBytes: 6 })
  })

  test('until retention deletes them', async () => {
    const key = aJobKey()
    await record(key, { status: 'completed', completedAt: 1_000, entryBytes: 7 })
    await record({ ...key, jobId: 'job_2' }, { entryBytes: 3 })
    expect(await deleteOldJobs(store, 2_000, 10)).toBe(1)
    expect(await usageOf(key)).toEqual({ liveJobs: 1, jobs: 1, entryBytes: 3 })
  })

  test.each(JOB_STATUSES.flatMap((from) => JOB_STATUSES.map((to) => [from, to] as const)))(
    'whichever status a job changes to: from %s to %s',
    async (from, to) => {
      const key = aJobKey()
      await record(key, { status: from })
      expect((await usageOf(key)).liveJobs).toBe(isFinished(from) ? 0 : 1)
      await record(key, { status: to, revision: 2 })
      expect((await usageOf(key)).liveJobs).toBe(isFinished(to) ? 0 : 1)
      await env.DB.prepare('delete from jobs where organization_id = ?').bind(key.organizationId).run()
      expect(await usageOf(key)).toEqual({ liveJobs: 0, jobs: 0, entryBytes: 0 })
    },
  )

  test('and a report without entries costs no row more', async () => {
    const key = aJobKey()
    await record(key, { entryBytes: 7 })
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'batch')
    const rowsOf = async (given: Partial<Job>) => {
      batch.mockClear()
      await record(key, { ...given, status: 'pending' }, true)
      const [results] = await Promise.all(batch.mock.results.map(({ value }) => value as Promise<D1Result[]>))
      return results?.reduce((rows, { meta }) => rows + meta.rows_written, 0)
    }
    expect(await rowsOf({ revision: 2, entryBytes: 7, processedItems: 3 })).toBe(1)
    expect(await rowsOf({ revision: 3, entryBytes: 8 })).toBe(2)
  })
})

describe('A job counts the bytes of its entries', () => {
  const bytesOf = (texts: string[]) => texts.reduce((sum, text) => sum + utf8Bytes(text), 0)

  /** A running job with two errors and a warning. */
  async function aJobWithEntries() {
    const key = await createdJob()
    const report = { errors: ['ä', 'b'].map(anError), warnings: [anError('c')] }
    const { job, errors, warnings } = await reported(key, report)
    expect(job.entryBytes).toBe(bytesOf([...errors, ...warnings]))
    return { key, bytes: job.entryBytes }
  }

  const untilRecorded = (key: JobKey, entryBytes: number) =>
    vi.waitFor(async () => expect((await recordedJob(key))?.job.entryBytes).toBe(entryBytes), {
      timeout: 10_000,
    })

  test('and D1 follows, after a failure of D1 and a crash too', async () => {
    const { key, bytes } = await aJobWithEntries()
    const d1 = failD1()
    const { job } = await reported(key, { errors: [anError('d')] })
    expect(job.entryBytes).toBeGreaterThan(bytes)
    d1.restore()
    await evictDurableObject(jobObject(env.JOBS, key))
    await runDurableObjectAlarm(jobObject(env.JOBS, key))
    await untilRecorded(key, job.entryBytes)
    expect(await usageOf(key)).toEqual({ liveJobs: 1, jobs: 1, entryBytes: job.entryBytes })
  })

  test('anew when an object takes it over from D1, as an import may not have counted them', async () => {
    const { key, bytes } = await aJobWithEntries()
    await untilRecorded(key, bytes)
    await env.DB.prepare('update jobs set entry_bytes = 0 where job_id = ?').bind(key.jobId).run()
    await inside(key, (storage) => storage.deleteAll())
    await evictDurableObject(jobObject(env.JOBS, key))
    expect((await readJob(key)).job.entryBytes).toBe(bytes)
    await reported(key, { markCompleted: true })
    const usage: Usage = { liveJobs: 0, jobs: 1, entryBytes: bytes }
    await vi.waitFor(async () => expect(await usageOf(key)).toEqual(usage), { timeout: 10_000 })
  })

  test('anew when an earlier version has journaled it', async () => {
    const { key, bytes } = await aJobWithEntries()
    await inside(key, (storage) => {
      const stored = storage.kv.get<{ job: Partial<Job> }>('job')
      const { entryBytes: _, ...job } = stored?.job ?? {}
      storage.kv.put('job', { ...stored, version: 2, job })
    })
    await evictDurableObject(jobObject(env.JOBS, key))
    expect((await readJob(key)).job.entryBytes).toBe(bytes)
  })
})

test('after all of this, the counts are those of the rows', async () => {
  const live = LIVE_STATUSES.map((status) => `'${status}'`).join()
  const counted = await env.DB.prepare('select * from organization_usage where jobs > 0 order by 1').all()
  const rows = await env.DB.prepare(
    `select organization_id, sum(status in (${live})) as live_jobs, count(*) as jobs, sum(entry_bytes) as entry_bytes
     from jobs group by organization_id order by 1`,
  ).all()
  expect(counted.results).toEqual(rows.results)
})

test('a job keeps entries up to MAX_ENTRY_BYTES_PER_JOB, counts the rest, and can be finished', async () => {
  const key = await createdJob()
  const { MAX_ENTRY_BYTES_PER_JOB } = env as unknown as { MAX_ENTRY_BYTES_PER_JOB: number }
  await reported(key, { errors: [anError('a')] })
  await inside(key, (storage) => {
    const stored = storage.kv.get<{ job: object }>('job')
    storage.kv.put('job', { ...stored, job: { ...stored?.job, entryBytes: MAX_ENTRY_BYTES_PER_JOB - 10 } })
  })
  await evictDurableObject(jobObject(env.JOBS, key))
  const { job } = await reported(key, { errors: [anError('b')], markCompleted: true })
  expect(job).toMatchObject({ status: 'partial_success', errorCount: 2, keptErrors: 1 })
  expect(job.entryBytes).toBe(MAX_ENTRY_BYTES_PER_JOB - 10)
})

test('while D1 is down, nobody is refused for their usage', async () => {
  const call = await aCaller(aJobKey().organizationId, { MAX_LIVE_JOBS: 0 })
  // The key is remembered from here on.
  expect((await call('GET', '/api/usage')).status).toBe(200)
  const lines = vi.spyOn(console, 'error')
  const d1 = failD1()
  const created = await call('POST', '/api/jobs/', { job_type: 'import', total_items: 1 })
  d1.restore()
  expect(created.status).toBe(200)
  const events = lines.mock.calls.map(([line]) => JSON.parse(String(line)).event)
  expect(events).toContain('usage_not_looked_up')
})
