import { expect, test } from 'vitest'
import { abandonJob } from '../../src/jobs/abandon-job.ts'
import { cancelJob } from '../../src/jobs/cancel-job.ts'
import { correctClock } from '../../src/jobs/correct-clock.ts'
import { noteAttempt } from '../../src/jobs/delivery.ts'
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

test.each([
  { markStarted: true as const, stage: 'b' },
  { stage: 'b', markCompleted: true as const },
])(
  'a job that %o starts while the clock is an hour back starts no sooner than it was created, nor does a stage',
  (report) => {
    const memory = new JobInMemory(aJob({ createdAt: START }))
    memory.report({ stage: 'a' }, START + 1_000)
    memory.report(report, START - HOUR)
    memory.report({ stage: 'c', markCompleted: true }, START - HOUR + 10_000)
    const { startedAt, completedAt, stages } = memory.job
    expect(startedAt).toBe(START)
    expect(completedAt).toBe(START + 1_000)
    expect(stages.map(({ at }) => at)).toEqual(stages.map(() => START + 1_000))
  },
)

test('the first stage of a job is no older than the job', () => {
  const memory = new JobInMemory(aJob({ createdAt: START }))
  memory.report({ stage: 'a' }, START - HOUR)
  expect(memory.job.stages).toEqual([{ stage: 'a', at: START }])
})

test('a job canceled then does not end before it started, or before it was created if it never started', () => {
  expect(jobOf(cancelJob(aJob({ createdAt: START }), null, START - HOUR, 30_000)).completedAt).toBe(START)
})

test('a canceled job takes its final report for no longer than it should, even if the clock was set back an hour', () => {
  const job = jobOf(cancelJob(aJob({ createdAt: START }), null, START, 30_000))
  const corrected = jobOf(correctClock(job, START - HOUR))
  expect(corrected.finalReportUntil).toBe(START - HOUR + 30_000)
  expect(jobOf(correctClock(corrected, START - HOUR + 10_000))).toBe(corrected)
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

test('a delivery waits no hour more if the clock went that far forward during the attempt, and back after it', () => {
  const job = aJob({ status: 'completed', completedAt: START, nextDeliveryAt: START })
  const attempt = { at: START, status: 500, error: 'no' }
  const outcome = { attempt, endedAt: START + HOUR, isGone: false, retryAfter: null }
  const corrected = jobOf(correctClock(jobOf(noteAttempt(job, outcome)), START + 10_000))
  expect(corrected.nextDeliveryAt).toBe(START + 35_000 + 5_000)
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
