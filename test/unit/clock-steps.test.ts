import { expect, test } from 'vitest'
import { abandonJob } from '../../src/jobs/abandon-job.ts'
import { cancelJob } from '../../src/jobs/cancel-job.ts'
import { correctClock } from '../../src/jobs/correct-clock.ts'
import type { Job } from '../../src/jobs/job.ts'
import { durationSeconds } from '../../src/jobs/measures.ts'
import type { ChangeOutcome } from '../../src/jobs/outcome.ts'
import { stallDue, stallJob } from '../../src/jobs/stall-job.ts'
import { aJob, JobInMemory } from './fixtures.ts'

const START = 1_800_000_000_000
const HOUR = 60 * 60 * 1_000
const DAY = 24 * HOUR

function jobOf(outcome: ChangeOutcome): Job {
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.job
}

test.each([{ markCompleted: true as const }, { markFailed: 'no' }])(
  'a job that %o finishes while the clock is an hour back does not end before it started',
  (mark) => {
    const memory = new JobInMemory(aJob({ createdAt: START }))
    memory.report({ markStarted: true }, START)
    memory.report(mark, START - HOUR)
    expect(memory.job.completedAt).toBe(START)
    expect(durationSeconds(memory.job, START - HOUR)).toBe(0)
  },
)

test('a job cancelled then does not end before it started, or before it was created if it never started', () => {
  expect(jobOf(cancelJob(aJob({ createdAt: START }), null, START - HOUR)).completedAt).toBe(START)
})

test('a silence of 10 s is flagged after 10 s, even if the clock was set back an hour before', () => {
  const job = aJob({ status: 'in_progress', stallAfterSeconds: 10, updatedAt: START })
  const corrected = jobOf(correctClock(job, START - HOUR))
  expect(stallDue(corrected)).toBe(START - HOUR + 10_000)
  expect(jobOf(stallJob(corrected, START - HOUR + 10_000)).stalledAt).toBe(START - HOUR + 10_000)
})

test('a delivery due in 5 s does not wait an hour longer', () => {
  const attempts = [{ at: START, status: 500, error: 'no' }]
  const job = aJob({ status: 'completed', completedAt: START, attempts, nextDeliveryAt: START + 5_000 })
  const corrected = jobOf(correctClock(job, START - HOUR))
  expect(corrected.nextDeliveryAt).toBe(START - HOUR)
  expect(correctClock(corrected, START - HOUR)).toMatchObject({ job: corrected })
})

test('a difference of seconds does not count as a clock set back', () => {
  const job = aJob({ status: 'in_progress', updatedAt: START })
  expect(jobOf(correctClock(job, START - 30_000))).toBe(job)
})

test('a clock a day ahead changes no job, except that silent ones are stalled', () => {
  const job = aJob({ status: 'in_progress', stallAfterSeconds: 10, updatedAt: START })
  expect(jobOf(correctClock(job, START + DAY))).toBe(job)
  expect(jobOf(abandonJob(job, 30, START + DAY))).toBe(job)
  expect(jobOf(stallJob(job, START + DAY)).stalledAt).toBe(START + DAY)
})
