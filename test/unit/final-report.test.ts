import { describe, expect, test } from 'vitest'
import { cancelJob } from '../../src/jobs/cancel-job.ts'
import { JOB_STATUSES, type Job, type Report } from '../../src/jobs/job.ts'
import { durationSeconds } from '../../src/jobs/measures.ts'
import { aJob, aReportedEntry, JobInMemory } from './fixtures.ts'

const CANCELED_AT = 1_800_000_010_000
const GRACE = 30_000
const SOON = CANCELED_AT + GRACE - 1
const LATE = CANCELED_AT + GRACE
const CLOSED = { ok: false, reason: 'closed', status: 'cancelled' }

/** A job that its worker has reported on, and that was canceled since. */
function aCanceledJob(given: Partial<Job> = {}, grace = GRACE): JobInMemory {
  const memory = new JobInMemory(aJob({ totalItems: 10, ...given }))
  memory.report({ markStarted: true, processedItems: 4, counters: { created: 3 }, stage: 'uploading' })
  const outcome = cancelJob(memory.job, 'wrong file', CANCELED_AT, grace)
  if (!outcome.ok) throw new Error(outcome.reason)
  memory.job = outcome.job
  return memory
}

describe('What a worker has not sent when its job is canceled is not lost:', () => {
  test('one final report adds its counts and entries, and the job stays as it ended', () => {
    const memory = aCanceledJob()
    const before = memory.job
    const report: Report = {
      processedDelta: 2,
      counters: { created: 1 },
      errors: [aReportedEntry({ entityKey: 'a' })],
      warnings: [aReportedEntry({ entityKey: 'b' })],
      metadataPatch: { file: 2 },
      message: 'stopping',
      totalItems: 12,
    }
    expect(memory.report(report, SOON)).toMatchObject({ ok: true, entries: [{ seq: 1 }, { seq: 1 }] })
    expect(memory.job).toEqual({
      ...before,
      processedItems: 6,
      counters: { created: 4 },
      totalItems: 12,
      errorCount: 1,
      warningCount: 1,
      keptErrors: 1,
      keptWarnings: 1,
      failedItems: 1,
      warnedItems: 1,
      keptEntities: 2,
      entityBytes: expect.any(Number),
      entryBytes: expect.any(Number),
      metadata: { stage: 'uploading', file: 2, last_message: 'stopping' },
      finalReportUntil: null,
      updatedAt: SOON,
      revision: before.revision + 1,
    })
    expect(memory.job).toMatchObject({ status: 'cancelled', errorMessage: 'wrong file' })
    expect(memory.job.completedAt).toBe(CANCELED_AT)
    expect(durationSeconds(memory.job, SOON)).toBe(durationSeconds(before, SOON))
  })

  test('a second one is refused', () => {
    const memory = aCanceledJob()
    expect(memory.report({ processedDelta: 1 }, CANCELED_AT).ok).toBe(true)
    const { job } = memory
    expect(memory.report({ processedDelta: 1 }, CANCELED_AT)).toEqual(CLOSED)
    expect(memory.job).toBe(job)
  })

  test('a later one is refused', () => {
    expect(aCanceledJob().report({ processedDelta: 1 }, LATE)).toEqual(CLOSED)
    expect(aCanceledJob({}, 0).report({ processedDelta: 1 }, CANCELED_AT)).toEqual(CLOSED)
  })

  test.each<[string, Report]>([
    ['starts the job', { processedDelta: 1, markStarted: true }],
    ['completes it', { processedDelta: 1, markCompleted: true }],
    ['fails it', { processedDelta: 1, markFailed: '' }],
    ['says nothing', {}],
  ])('one that %s is refused, and another may still come', (_, report) => {
    const memory = aCanceledJob()
    expect(memory.report(report, SOON)).toEqual(CLOSED)
    expect(memory.report({ processedDelta: 1 }, SOON).ok).toBe(true)
  })

  test('one that a bound refuses may be sent again with less', () => {
    const memory = aCanceledJob()
    const counters = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`name-${n}`, 1]))
    expect(memory.report({ processedDelta: 1, counters }, SOON)).toMatchObject({
      reason: 'too_many_counters',
    })
    expect(memory.report({ metadataPatch: { text: 'x'.repeat(70_000) } }, SOON)).toMatchObject({
      reason: 'metadata_too_large',
    })
    expect(memory.report({ processedDelta: 1 }, SOON).ok).toBe(true)
  })

  test('canceling again gives no more time', () => {
    const { job } = aCanceledJob()
    expect(cancelJob(job, null, SOON, GRACE)).toMatchObject({ ok: true, job })
  })

  test('a stage in it is no later than the end of the job', () => {
    const memory = aCanceledJob()
    memory.report({ stage: 'cleaning up' }, SOON)
    expect(memory.job.stages.at(-1)).toEqual({ stage: 'cleaning up', at: CANCELED_AT })
  })

  test('it changes nothing about deliveries: one that is due stays due', () => {
    const memory = aCanceledJob({ callbackUrl: 'https://example.com/hook' })
    expect(memory.job.nextDeliveryAt).toBe(CANCELED_AT)
    memory.report({ processedDelta: 1 }, SOON)
    expect(memory.job.nextDeliveryAt).toBe(CANCELED_AT)
    // A job that has been posted is not posted again.
    const posted = aCanceledJob({ callbackUrl: 'https://example.com/hook' })
    posted.job = { ...posted.job, nextDeliveryAt: null }
    posted.report({ processedDelta: 1 }, SOON)
    expect(posted.job.nextDeliveryAt).toBeNull()
  })
})

test.each(
  JOB_STATUSES.filter((status) => status !== 'cancelled' && status !== 'pending' && status !== 'in_progress'),
)('a %s job takes no final report: its worker knew that it was over', (status) => {
  const memory = new JobInMemory(aJob({ status, completedAt: CANCELED_AT }))
  expect(memory.report({ processedDelta: 1 }, CANCELED_AT)).toEqual({ ok: false, reason: 'closed', status })
})
