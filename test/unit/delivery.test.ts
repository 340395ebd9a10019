import { describe, expect, test } from 'vitest'
import { archiveDue, nextDue, RECORD_DELAY } from '../../src/job-object/schedule.ts'
import { noteAttempt } from '../../src/jobs/delivery.ts'
import type { Attempt, Job } from '../../src/jobs/job.ts'
import { presentDeliveries } from '../../src/jobs/present-job.ts'
import { aJob, JobInMemory } from './job-in-memory.ts'

const START = 1_800_000_000_000
const HOUR = 60 * 60 * 1_000
const URL = 'https://example.com/hook'
const settings = { archiveAfter: 24 * HOUR }

/** A job that was finished at START and is to be posted. */
function aJobToPost(callbackUrl: string | null = URL): Job {
  const memory = new JobInMemory(aJob({ callbackUrl }))
  memory.report({ markCompleted: true }, START)
  return memory.job
}

function attempted(job: Job, attempt: Attempt): Job {
  const outcome = noteAttempt(job, attempt)
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.job
}

/** All attempts of a job that nobody ever takes, each made when it is due. */
function allAttempts(): Job {
  let job = aJobToPost()
  while (job.nextDeliveryAt !== null) {
    job = attempted(job, { at: job.nextDeliveryAt, status: 500, error: 'no' })
  }
  return job
}

test.each([{ markCompleted: true as const }, { markFailed: 'the file is gone' }])(
  'a job that %o finishes is posted at once',
  (mark) => {
    const memory = new JobInMemory(aJob({ callbackUrl: URL }))
    memory.report({ markStarted: true }, START - 5_000)
    expect(memory.job.nextDeliveryAt).toBeNull()
    memory.report(mark, START)
    expect(memory.job.nextDeliveryAt).toBe(START)
  },
)

test('a job without a callback URL is not posted', () => {
  expect(aJobToPost(null).nextDeliveryAt).toBeNull()
})

test('what was accepted is not posted again', () => {
  const job = aJobToPost()
  expect(attempted(job, { at: START + 40, status: 204, error: null })).toEqual({
    ...job,
    attempts: [{ at: START + 40, status: 204, error: null }],
    nextDeliveryAt: null,
    revision: job.revision + 1,
  })
})

test('what was not accepted is posted again: soon, then ever further apart, for about a day', () => {
  const { attempts } = allAttempts()
  const waits = attempts.slice(1).map(({ at }, index) => at - (attempts[index]?.at ?? 0))
  expect(waits[0]).toBe(5_000)
  expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  const whole = (attempts.at(-1)?.at ?? 0) - START
  expect(whole).toBeGreaterThanOrEqual(22 * HOUR)
  expect(whole).toBeLessThanOrEqual(26 * HOUR)
})

test('how it went can be read', () => {
  const job = attempted(aJobToPost(), { at: START, status: 500, error: 'The receiver did not accept it' })
  expect(presentDeliveries(job)).toEqual({
    callback_url: URL,
    next_attempt_at: new Date(START + 5_000).toISOString(),
    deliveries: [
      { attempted_at: new Date(START).toISOString(), status: 500, error: 'The receiver did not accept it' },
    ],
  })
  expect(presentDeliveries(aJob({}))).toEqual({ callback_url: null, next_attempt_at: null, deliveries: [] })
})

describe('The one alarm of a job’s object', () => {
  const recordedUpTo = ({ revision, status }: Job) => ({ revision, status, error: 0, warning: 0 })
  const nothing = { revision: 0, status: null, error: 0, warning: 0 }

  test('comes for what D1 lacks', () => {
    expect(nextDue(aJob({}), nothing, settings, START)).toBe(START + RECORD_DELAY)
  })

  test('is not needed by a live job that D1 has', () => {
    const job = aJob({ status: 'in_progress' })
    expect(nextDue(job, recordedUpTo(job), settings, START)).toBeUndefined()
  })

  test('comes for silence, and sooner than the record where that is due first', () => {
    const job = aJob({ status: 'in_progress', stallAfterSeconds: 10, updatedAt: START })
    expect(nextDue(job, recordedUpTo(job), settings, START + 9_000)).toBe(START + 10_000)
    expect(nextDue(job, nothing, settings, START)).toBe(START + 10_000)
    expect(nextDue({ ...job, stallAfterSeconds: 3_600 }, nothing, settings, START)).toBe(START + RECORD_DELAY)
  })

  test('comes for a delivery, and the job leaves its object only after that, delivered or given up', () => {
    const job = aJobToPost()
    expect(nextDue(job, recordedUpTo(job), settings, START)).toBe(START)
    expect(archiveDue(job, settings)).toBeUndefined()
    const delivered = attempted(job, { at: START + 40, status: 200, error: null })
    expect(nextDue(delivered, recordedUpTo(delivered), settings, START)).toBe(START + settings.archiveAfter)
    expect(archiveDue(allAttempts(), settings)).toBe(START + settings.archiveAfter)
  })
})
