import { expect, test } from 'vitest'
import { type AttemptOutcome, noteAttempt } from '../../src/jobs/delivery.ts'
import type { Attempt, Job } from '../../src/jobs/job.ts'
import { presentDeliveries } from '../../src/jobs/present-job.ts'
import { aJob, JobInMemory } from './fixtures.ts'

const START = 1_800_000_000_000
const HOUR = 60 * 60 * 1_000
const URL = 'https://example.com/hook'

/** A job that finished at START and has a callback URL. */
function aJobToPost(callbackUrl: string | null = URL): Job {
  const memory = new JobInMemory(aJob({ callbackUrl }))
  memory.report({ markCompleted: true }, START)
  return memory.job
}

function attempted(job: Job, attempt: Attempt, more: Partial<AttemptOutcome> = {}): Job {
  const outcome = noteAttempt(job, {
    attempt,
    endedAt: attempt.at,
    isGone: false,
    retryAfter: null,
    ...more,
  })
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.job
}

/** All attempts for a job that the receiver never accepts, each made when it is due. */
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

test('an accepted job is not posted again', () => {
  const job = aJobToPost()
  expect(attempted(job, { at: START + 40, status: 204, error: null })).toEqual({
    ...job,
    attempts: [{ at: START + 40, status: 204, error: null }],
    nextDeliveryAt: null,
    revision: job.revision + 1,
  })
})

test('a job that is not accepted is posted again: soon, then ever further apart, for about a day', () => {
  const { attempts } = allAttempts()
  const waits = attempts.slice(1).map(({ at }, index) => at - (attempts[index]?.at ?? 0))
  expect(waits[0]).toBe(5_000)
  expect(waits).toEqual(waits.toSorted((a, b) => a - b))
  const whole = (attempts.at(-1)?.at ?? 0) - START
  expect(whole).toBeGreaterThanOrEqual(22 * HOUR)
  expect(whole).toBeLessThanOrEqual(26 * HOUR)
})

test('every attempt can be read', () => {
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

const refused: Attempt = { at: START, status: 503, error: 'The receiver did not accept it' }

test('the next attempt is timed from the end of the last one, not from its start', () => {
  const job = attempted(aJobToPost(), refused, { endedAt: START + 15_000 })
  expect(job.nextDeliveryAt).toBe(START + 20_000)
})

test('a receiver that asks for a longer wait gets it, up to 8 hours', () => {
  const asked = (retryAfter: number) =>
    attempted(aJobToPost(), refused, { retryAfter }).nextDeliveryAt ?? Number.NaN
  expect(asked(60_000)).toBe(START + 60_000)
  expect(asked(1_000)).toBe(START + 5_000)
  expect(asked(1_000 * HOUR)).toBe(START + 8 * HOUR)
})

test('a receiver that replies 410 is not posted to again', () => {
  expect(attempted(aJobToPost(), { ...refused, status: 410 }, { isGone: true }).nextDeliveryAt).toBeNull()
})
