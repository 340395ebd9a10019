import { expect, test } from 'vitest'
import { cancelJob } from '../../src/jobs/cancel-job.ts'
import { FINISHED_STATUSES, type Job, LIVE_STATUSES } from '../../src/jobs/job.ts'
import { aJob } from './fixtures.ts'

const NOW = 1_800_000_005_000
const GRACE = 30_000

function cancelled(job: Job, reason: string | null = null): Job {
  const outcome = cancelJob(job, reason, NOW, GRACE)
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.job
}

test.each(LIVE_STATUSES)('a %s job is canceled, and keeps the reason', (status) => {
  const job = aJob({ status, processedItems: 3 })
  expect(cancelled(job, 'wrong file')).toEqual({
    ...job,
    status: 'cancelled',
    errorMessage: 'wrong file',
    completedAt: NOW,
    finalReportUntil: NOW + GRACE,
    updatedAt: NOW,
    revision: job.revision + 1,
  })
})

test('canceling again, for any reason, changes nothing', () => {
  const once = cancelled(aJob({}), 'wrong file')
  expect(cancelled(once, 'another reason')).toBe(once)
  expect(cancelled(once)).toBe(once)
})

test.each(FINISHED_STATUSES.filter((status) => status !== 'cancelled'))(
  'a %s job cannot be canceled',
  (status) => {
    expect(cancelJob(aJob({ status }), 'too late', NOW, GRACE)).toEqual({
      ok: false,
      reason: 'closed',
      status,
    })
  },
)

test('a canceled job is posted to its callback URL like any finished job', () => {
  expect(cancelled(aJob({ callbackUrl: 'https://example.com/hook' })).nextDeliveryAt).toBe(NOW)
  expect(cancelled(aJob({})).nextDeliveryAt).toBeNull()
})
