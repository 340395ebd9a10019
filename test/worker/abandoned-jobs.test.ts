import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import type { Env } from '../../src/env.ts'
import worker from '../../src/index.ts'
import type { Job, JobKey } from '../../src/jobs/job.ts'
import { findSilentJobs } from '../../src/store/find-silent-jobs.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, recordedJob, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'

const DAY = 24 * 60 * 60 * 1_000

async function runCron(settings: Partial<Env>): Promise<void> {
  const controller = createScheduledController({ scheduledTime: Date.now() })
  await worker.scheduled(controller, { ...(env as unknown as Env), ...settings })
}

/** A job that only D1 has, as an import from another system leaves it. */
async function anImportedJob(given: Partial<Job>, { organizationId, jobId } = aJobKey()): Promise<JobKey> {
  const key = { organizationId, jobId }
  const job = aJob({ status: 'in_progress', ...given, jobId: key.jobId })
  await recordJob(store, { key, job, entries: [], unfinished: false, onlyProgress: false })
  return key
}

test('a job that only D1 has is abandoned, though nobody asks for it', async () => {
  const key = await anImportedJob({ createdAt: Date.now() - 40 * DAY, updatedAt: Date.now() - 31 * DAY })
  await runCron({ ABANDONED_AFTER_DAYS: 0 })
  expect((await recordedJob(key))?.job.status).toBe('in_progress')
  await runCron({})
  const abandoned = { status: 'failed', errorMessage: 'Abandoned: nothing was reported for 30 days' }
  await vi.waitFor(async () => expect((await recordedJob(key))?.job).toMatchObject(abandoned), {
    timeout: 10_000,
    interval: 200,
  })
})

test('only live jobs that are silent are found, of all organizations, and no more than one run takes', async () => {
  const [before, now] = [1_000_000, 2_000_000]
  const organizationId = `org_${crypto.randomUUID()}`
  const silent = { createdAt: 1, updatedAt: before - 1 }
  const keys = await Promise.all([
    anImportedJob(silent, { ...aJobKey(), organizationId }),
    anImportedJob({ ...silent, status: 'pending' }, { ...aJobKey(), organizationId }),
    anImportedJob(silent),
  ])
  await anImportedJob({ createdAt: 1, updatedAt: now }, { ...aJobKey(), organizationId })
  await anImportedJob({ ...silent, status: 'failed', completedAt: 5 }, { ...aJobKey(), organizationId })
  await anImportedJob({ createdAt: now, updatedAt: now })

  const byId = (a: JobKey, b: JobKey) => a.jobId.localeCompare(b.jobId)
  expect((await findSilentJobs(store, before, 100, 10)).toSorted(byId)).toEqual(keys.toSorted(byId))
  expect(await findSilentJobs(store, before, 2, 10)).toHaveLength(2)
  expect(await findSilentJobs(store, before, 100, 0)).toEqual([])
})

test('they are found by indexes: no statement scans the jobs', async () => {
  const prepare = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'prepare')
  await findSilentJobs(store, 1_000_000, 100, 1)
  const statements = prepare.mock.calls.map(([statement]) => statement)
  prepare.mockRestore()
  expect(statements).toHaveLength(2)
  for (const statement of statements) {
    const values = Array.from({ length: statement.split('?').length - 1 }, () => '[]')
    const { results } = await env.DB.prepare(`explain query plan ${statement}`)
      .bind(...values)
      .all<{ detail: string }>()
    const details = results.map(({ detail }) => detail)
    expect(details.filter((detail) => /^SCAN jobs/.test(detail))).toEqual([])
  }
})
