import { describe, expect, test } from 'vitest'
import { cancelJob } from '../../src/jobs/cancel-job.ts'
import { flagLate, lateDue } from '../../src/jobs/deadlines.ts'
import type { Job } from '../../src/jobs/job.ts'
import type { ChangeOutcome } from '../../src/jobs/outcome.ts'
import { aJob, JobInMemory } from './fixtures.ts'

const START = 1_800_000_000_000
const BOTH = { createdAt: START, startWithinSeconds: 10, finishWithinSeconds: 60 }

function jobOf(outcome: ChangeOutcome): Job {
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.job
}

test('a pending job is late after start_within_seconds, not sooner, and once', () => {
  const job = aJob(BOTH)
  expect(lateDue(job)).toBe(START + 10_000)
  expect(jobOf(flagLate(job, START + 9_999))).toBe(job)
  const late = jobOf(flagLate(job, START + 10_500))
  expect(late).toEqual({ ...job, lateAt: START + 10_500, revision: job.revision + 1 })
  expect(lateDue(late)).toBeUndefined()
  expect(jobOf(flagLate(late, START + 99_000))).toBe(late)
})

test('a job that has started in time is late after finish_within_seconds, and does not fail', () => {
  const memory = new JobInMemory(aJob(BOTH))
  memory.report({ markStarted: true }, START + 9_000)
  expect(lateDue(memory.job)).toBe(START + 60_000)
  expect(jobOf(flagLate(memory.job, START + 60_000))).toMatchObject({
    status: 'in_progress',
    lateAt: START + 60_000,
  })
})

test('nothing clears the flag: neither starting late, nor finishing, nor a cancellation', () => {
  const memory = new JobInMemory(jobOf(flagLate(aJob(BOTH), START + 10_000)))
  memory.report({ markStarted: true }, START + 20_000)
  memory.report({ processedItems: 1 }, START + 70_000)
  expect(jobOf(cancelJob(memory.job, null, START + 80_000, 0)).lateAt).toBe(START + 10_000)
  memory.report({ markCompleted: true }, START + 80_000)
  expect(memory.job).toMatchObject({ status: 'completed', lateAt: START + 10_000 })
})

test('a report or a cancellation after a deadline that its object slept through flags the job, too', () => {
  const memory = new JobInMemory(aJob(BOTH))
  memory.report({ markStarted: true }, START + 11_000)
  expect(memory.job.lateAt).toBe(START + 11_000)
  const { finishWithinSeconds } = BOTH
  const finishing = new JobInMemory(aJob({ createdAt: START, finishWithinSeconds }))
  finishing.report({ markCompleted: true }, START + 60_000)
  expect(finishing.job.lateAt).toBe(START + 60_000)
  expect(jobOf(cancelJob(aJob(BOTH), null, START + 10_000, 0)).lateAt).toBe(START + 10_000)
})

describe('A job is never late', () => {
  test.each<[string, Partial<Job>]>([
    ['without a deadline', { createdAt: START }],
    [
      'once it has started, if only that has a deadline',
      { ...BOTH, finishWithinSeconds: null, status: 'in_progress' },
    ],
    ['once it is finished', { ...BOTH, status: 'completed', completedAt: START }],
  ])('%s', (_, given) => {
    const job = aJob(given)
    expect(lateDue(job)).toBeUndefined()
    expect(jobOf(flagLate(job, START + 1_000_000))).toBe(job)
  })
})
