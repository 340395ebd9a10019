import { expect, test } from 'vitest'
import type { Job } from '../../src/jobs/job.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, recordedJob, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'

/** A new value for each field that a report may change without changing the status. */
const PROGRESS: Omit<
  Job,
  | 'jobId'
  | 'jobType'
  | 'status'
  | 'labels'
  | 'parentJobId'
  | 'startWithinSeconds'
  | 'finishWithinSeconds'
  | 'triggeredBy'
  | 'createdAt'
  | 'completedAt'
  | 'epoch'
  | 'revision'
> = {
  totalItems: 101,
  processedItems: 102,
  counters: { created: 122 },
  countersNotKept: 123,
  failedItems: 103,
  warnedItems: 104,
  errorCount: 105,
  warningCount: 106,
  keptErrors: 107,
  keptWarnings: 108,
  keptEntities: 109,
  entityBytes: 110,
  entitiesNotKept: 111,
  entryBytes: 112,
  metadata: { stage: 'uploading' },
  errorMessage: 'no',
  startedAt: 112,
  updatedAt: 113,
  finalReportUntil: 124,
  stallAfterSeconds: 114,
  stalledAt: 115,
  lateAt: 125,
  callbackUrl: 'https://example.com/hook',
  attempts: [{ at: 116, status: 500, error: null }],
  nextDeliveryAt: 117,
  stages: [{ stage: 'uploading', at: 118 }],
  pace: [{ at: 119, done: 120 }],
  createFingerprint: 'f',
}

test.each([
  ['an update of progress', true, { ...PROGRESS, revision: 2 }],
  ['a change of status', false, { ...PROGRESS, revision: 2, status: 'failed' as const, completedAt: 121 }],
])('every field of a job is in D1 after %s', async (_, onlyProgress, change) => {
  const key = aJobKey()
  const before = aJob({ jobId: key.jobId, status: 'in_progress', triggeredBy: 'nightly' })
  const after = { ...before, ...change }
  await recordJob(store, { key, job: before, entries: [], unfinished: false, onlyProgress: false })
  expect((await recordedJob(key))?.job).toEqual(before)
  await recordJob(store, { key, job: after, entries: [], unfinished: false, onlyProgress })
  expect((await recordedJob(key))?.job).toEqual(after)
  const same = Object.keys(after).filter((name) => after[name as keyof Job] === before[name as keyof Job])
  expect(same.filter((name) => name in PROGRESS)).toEqual([])
})
