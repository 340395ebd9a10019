import { describe, expect, test } from 'vitest'
import { cancelJob } from '../../src/jobs/cancel-job.ts'
import type { Job } from '../../src/jobs/job.ts'
import { stallDue, stallJob } from '../../src/jobs/stall-job.ts'
import { aJob, JobInMemory } from './fixtures.ts'

const START = 1_800_000_000_000

/** A job in progress that counts as stalled after 10 s, last reported on at START. */
function aSilentJob(): Job {
  const memory = new JobInMemory(aJob({ stallAfterSeconds: 10 }))
  memory.report({ markStarted: true }, START)
  return memory.job
}

function stalledAt(job: Job, now: number): Job {
  const outcome = stallJob(job, now)
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.job
}

test('a running job is flagged after stall_after_seconds of silence, not sooner', () => {
  const job = aSilentJob()
  expect(stallDue(job)).toBe(START + 10_000)
  expect(stalledAt(job, START + 9_999)).toBe(job)
  expect(stalledAt(job, START + 10_000)).toEqual({
    ...job,
    stalledAt: START + 10_000,
    revision: job.revision + 1,
  })
})

test('a stalled job is flagged once, and does not fail', () => {
  const flagged = stalledAt(aSilentJob(), START + 10_000)
  expect(flagged.status).toBe('in_progress')
  expect(stallDue(flagged)).toBeUndefined()
  expect(stalledAt(flagged, START + 99_000)).toBe(flagged)
})

test('the next report clears the flag and restarts the time', () => {
  const memory = new JobInMemory(stalledAt(aSilentJob(), START + 10_000))
  memory.report({ message: 'still here' }, START + 30_000)
  expect(memory.job.stalledAt).toBeNull()
  expect(stallDue(memory.job)).toBe(START + 40_000)
})

test('a refused report does not clear the flag', () => {
  const memory = new JobInMemory(stalledAt(aSilentJob(), START + 10_000))
  const outcome = memory.report({ metadataPatch: { a: 'x'.repeat(70_000) } }, START + 30_000)
  expect(outcome.ok).toBe(false)
  expect(memory.job.stalledAt).toBe(START + 10_000)
})

test('canceling clears the flag', () => {
  const outcome = cancelJob(stalledAt(aSilentJob(), START + 10_000), null, START + 20_000, 30_000)
  expect(outcome).toMatchObject({ ok: true, job: { status: 'cancelled', stalledAt: null } })
})

describe('A job is never flagged', () => {
  test.each<[string, Partial<Job>]>([
    ['while it is pending', { status: 'pending' }],
    ['when it is finished', { status: 'completed', completedAt: START }],
    ['without stall_after_seconds', { stallAfterSeconds: null }],
  ])('%s', (_, given) => {
    const job = { ...aSilentJob(), ...given }
    expect(stallDue(job)).toBeUndefined()
    expect(stalledAt(job, START + 1_000_000)).toBe(job)
  })
})
