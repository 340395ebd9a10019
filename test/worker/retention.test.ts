import { createExecutionContext, createScheduledController, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Env } from '../../src/env.ts'
import worker from '../../src/index.ts'
import type { JobKey, JobStatus } from '../../src/jobs/job.ts'
import { deleteOldJobs } from '../../src/store/delete-old-jobs.ts'
import { findJob } from '../../src/store/find-job.ts'
import { openStore } from '../../src/store/store.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, recordedJob, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'

const DAY = 24 * 60 * 60 * 1_000
const NOW = Date.now()

test('finished jobs leave D1 after RETENTION_DAYS, with their entries and replies; live jobs never do', async () => {
  const old = await recorded({ completedAt: NOW - 91 * DAY, entries: 3 })
  const newer = await recorded({ completedAt: NOW - 89 * DAY, entries: 3 })
  const live = await recorded({ status: 'in_progress', completedAt: null, createdAt: NOW - 400 * DAY })
  await env.DB.prepare('insert into idempotent_replies values (?, ?, ?, ?, ?, ?)')
    .bind(old.organizationId, old.jobId, 'k', 'f', 0, '{}')
    .run()

  for (const never of [0, '0']) await runCron({ RETENTION_DAYS: never })
  expect(await recordedJob(old)).toBeDefined()
  await runCron({ RETENTION_DAYS: 90 })
  expect(await recordedJob(old)).toBeUndefined()
  expect(await rowsOf(old)).toBe(0)
  expect(await recordedJob(newer)).toBeDefined()
  expect(await rowsOf(newer)).toBe(3)
  expect(await recordedJob(live)).toBeDefined()
})

test('a job stays in D1 a day longer than in its object, whatever RETENTION_DAYS is', async () => {
  const key = await recorded({ completedAt: NOW - 1.02 * DAY })
  await runCron({ RETENTION_DAYS: 1, ARCHIVE_AFTER_SECONDS: 3_600 })
  expect(await recordedJob(key)).toBeDefined()
  await runCron({ RETENTION_DAYS: 1, ARCHIVE_AFTER_SECONDS: 1_000 })
  expect(await recordedJob(key)).toBeUndefined()
})

test('a run is bounded: it deletes many small jobs per step, a large one in several, and leaves the rest for the next run', async () => {
  const large = await recorded({ completedAt: 1_000, entries: 4_500 })
  const small = await Promise.all(Array.from({ length: 150 }, (_, n) => recorded({ completedAt: 2_000 + n })))

  expect(await deleteOldJobs(store, 10_000, 2)).toBe(0)
  expect(await rowsOf(large)).toBe(500)
  expect(await recordedJob(large)).toBeDefined()
  expect(await deleteOldJobs(store, 10_000, 2)).toBe(101)
  expect(await rowsOf(large)).toBe(0)
  expect(await deleteOldJobs(store, 10_000, 10)).toBe(50)
  for (const key of [large, ...small]) expect(await recordedJob(key)).toBeUndefined()
})

test('retention is the same in every database', async () => {
  const key = aJobKey()
  const job = aJob({ jobId: key.jobId, status: 'completed', completedAt: NOW - 91 * DAY })
  const second = openStore(env.DB_2)
  await recordJob(second, { key, job, entries: [], unfinished: false, onlyProgress: false })
  await runCron({ RETENTION_DAYS: 90 })
  expect(await findJob(second, key)).toBeUndefined()
})

async function runCron(settings: Partial<Env>): Promise<void> {
  const ctx = createExecutionContext()
  const controller = createScheduledController({ scheduledTime: NOW })
  await worker.scheduled(controller, { ...(env as unknown as Env), ...settings })
  await waitOnExecutionContext(ctx)
}

interface Given {
  status?: JobStatus
  createdAt?: number
  completedAt: number | null
  entries?: number
}

async function recorded({ entries = 0, status = 'completed', ...given }: Given): Promise<JobKey> {
  const key = aJobKey()
  const job = aJob({ ...given, jobId: key.jobId, status, errorCount: entries, keptErrors: entries })
  const all = Array.from({ length: entries }, (_, n) => ({ kind: 'error' as const, seq: n + 1, text: '{}' }))
  await recordJob(store, { key, job, entries: all, unfinished: false, onlyProgress: false })
  return key
}

async function rowsOf({ jobId }: JobKey): Promise<number> {
  const select = `select (select count(*) from job_entries where job_id = ?1) + (select count(*) from idempotent_replies where job_id = ?1) as n`
  return (await env.DB.prepare(select).bind(jobId).first<number>('n')) ?? 0
}
