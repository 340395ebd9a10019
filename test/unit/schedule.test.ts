import { expect, test } from 'vitest'
import { type Duty, dutiesOf, RECORD_DELAY } from '../../src/job-object/schedule.ts'
import type { Job } from '../../src/jobs/job.ts'
import { aJob } from './fixtures.ts'

const NOW = 1_800_000_000_000
const HOUR = 60 * 60 * 1_000
const DAY = 24 * HOUR
const settings = {
  archiveAfter: DAY,
  abandonAfterDays: 30,
  retention: 0,
  cancelGrace: 30_000,
  allowLoopback: false,
  recorders: 1,
  maxEntryBytes: 0,
  maxLiveJobs: 0,
  maxBytes: 0,
}

function timesOf(given: Partial<Job>, { isBehind = false, now = NOW } = {}): Partial<Record<Duty, number>> {
  const duties = dutiesOf(aJob({ updatedAt: NOW, createdAt: NOW, ...given }), isBehind, settings, now)
  return Object.fromEntries(duties.map(({ duty, at }) => [duty, at]))
}

test('a live job that D1 has is abandoned one day', () => {
  expect(timesOf({ status: 'in_progress' })).toEqual({ abandon: NOW + 30 * DAY })
})

test('what D1 lacks is written half a minute after the last report', () => {
  expect(timesOf({}, { isBehind: true })).toMatchObject({ record: NOW + RECORD_DELAY })
})

test('a stall is due after stall_after_seconds', () => {
  expect(timesOf({ status: 'in_progress', stallAfterSeconds: 10 })).toMatchObject({
    flag_stall: NOW + 10_000,
  })
})

test('lateness is due at the next deadline', () => {
  const deadlines = { startWithinSeconds: 20, finishWithinSeconds: 60 }
  expect(timesOf(deadlines)).toMatchObject({ flag_late: NOW + 20_000 })
  expect(timesOf({ ...deadlines, status: 'in_progress' })).toMatchObject({ flag_late: NOW + 60_000 })
})

test('a finished job leaves its object only after it was posted and D1 has it', () => {
  const finished = { status: 'completed', completedAt: NOW } as const
  expect(timesOf({ ...finished, nextDeliveryAt: NOW + 5 })).toEqual({ deliver: NOW + 5 })
  expect(timesOf(finished, { isBehind: true })).toEqual({ record: NOW + RECORD_DELAY })
  expect(timesOf(finished)).toEqual({ archive: NOW + DAY })
})

test('a canceled job stays in its object while a final report may come, however soon others leave', () => {
  const cancelled = { status: 'cancelled', completedAt: NOW } as const
  expect(timesOf({ ...cancelled, finalReportUntil: NOW + 2 * DAY })).toEqual({ archive: NOW + 2 * DAY })
  expect(timesOf({ ...cancelled, finalReportUntil: NOW + 30_000 })).toEqual({ archive: NOW + DAY })
})

test('a clock that was set back is corrected at once, and does not delay the archive', () => {
  const now = NOW - HOUR
  expect(timesOf({ status: 'in_progress' }, { now })).toMatchObject({ correct_clock: now })
  expect(timesOf({ status: 'completed', completedAt: NOW, updatedAt: now }, { now })).toEqual({
    archive: now + DAY,
  })
})
