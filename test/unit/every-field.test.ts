import { getTableColumns } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { JobProgressRequest, toReport } from '../../src/endpoints/report-progress.ts'
import {
  JobErrorResponse,
  JobResponse,
  JobStatusResponse,
  JobSummaryResponse,
} from '../../src/http/reply/job-schemas.ts'
import { applyReport } from '../../src/jobs/apply-report.ts'
import type { Job, Report } from '../../src/jobs/job.ts'
import { presentDeliveries, presentJob, presentStatus, presentSummary } from '../../src/jobs/present-job.ts'
import { jobs } from '../../src/store/schema.ts'
import { aJob, aReportedEntry } from './fixtures.ts'

const NOW = 1_800_000_001_000

/** The fields of a job that no reply shows, not even by a value that is computed from them. */
const INTERNAL = [
  'createFingerprint',
  'entityBytes',
  'epoch',
  'finalReportUntil',
  'keptEntities',
  'revision',
  'updatedAt',
] satisfies (keyof Job)[]

describe('Every field of a job', () => {
  const fields = Object.keys(aJob({}))

  test('has its column in D1, and each column its field', () => {
    expect(Object.keys(getTableColumns(jobs)).toSorted()).toEqual(['organizationId', ...fields].toSorted())
  })

  test('is presented or listed as internal', () => {
    const read = new Set<string>()
    const watched = (job: Job) =>
      new Proxy(job, {
        get: (target, name, receiver) => {
          read.add(String(name))
          return Reflect.get(target, name, receiver)
        },
      })
    for (const status of ['pending', 'in_progress', 'completed'] as const) {
      const job = watched(aJob({ status, startedAt: NOW - 1_000, totalItems: 10 }))
      presentSummary(job, NOW)
      presentDeliveries(job)
    }
    expect([...read, ...INTERNAL].toSorted()).toEqual(fields.toSorted())
  })
})

describe('Every property of a reply', () => {
  const job = aJob({})
  const snapshot = { job, errors: [], warnings: [] }

  test.each([
    ['JobResponse', JobResponse, JSON.parse(presentJob(snapshot, NOW))],
    ['JobSummaryResponse', JobSummaryResponse, presentSummary(job, NOW)],
    ['JobStatusResponse', JobStatusResponse, presentStatus(job)],
  ])('%s is presented', (_, schema, presented) => {
    expect(Object.keys(presented).toSorted()).toEqual(Object.keys(schema.shape).toSorted())
  })
})

const anEntry = {
  entity_key: 'sku-1',
  entity_type: 'product',
  error_type: 'bad_row',
  message: 'cannot be used',
  step: 'check',
  details: { row: 7 },
}

/** A value of each field that has an effect on a job in progress. */
const REQUEST: Required<z.input<typeof JobProgressRequest>> = {
  mark_started: true,
  total_items: 7,
  processed_items: 3,
  processed_delta: 2,
  counters: { created: 5 },
  metadata_patch: { a: 1 },
  stage: 'uploading',
  message: 'half of it',
  error: anEntry,
  warning: anEntry,
  errors: [anEntry],
  warnings: [anEntry],
  mark_completed: true,
  mark_failed: 'the file is gone',
}

const REPORT: Required<Report> = {
  markStarted: true,
  totalItems: 7,
  processedItems: 3,
  processedDelta: 2,
  counters: { created: 5 },
  metadataPatch: { a: 1 },
  stage: 'uploading',
  message: 'half of it',
  errors: [aReportedEntry({})],
  warnings: [aReportedEntry({})],
  markCompleted: true,
  markFailed: 'the file is gone',
}

describe('Every field of a request to report progress', () => {
  test('is tried here', () => {
    expect(Object.keys(REQUEST).toSorted()).toEqual(Object.keys(JobProgressRequest.shape).toSorted())
  })

  test.each(Object.keys(REQUEST) as (keyof typeof REQUEST)[])('%s is part of the report', (field) => {
    const report = toReport(JobProgressRequest.parse({ [field]: REQUEST[field] }))
    expect(Object.keys(report)).toHaveLength(1)
  })

  test('together they make every field of a report', () => {
    // These two exclude each other.
    const { processed_items, ...others } = REQUEST
    const reports = [{ processed_items }, others].map((body) => toReport(JobProgressRequest.parse(body)))
    expect(reports.flatMap((report) => Object.keys(report)).toSorted()).toEqual(
      Object.keys(REPORT).toSorted(),
    )
  })
})

test('every field of a reported entry is presented', () => {
  expect(Object.keys(anEntry).toSorted()).toEqual(
    Object.keys(JobProgressRequest.shape.error.unwrap().unwrap().shape).toSorted(),
  )
  const outcome = applyReport(
    aJob({}),
    toReport(JobProgressRequest.parse({ error: anEntry })),
    NOW,
    () => 'clean',
    1_000_000,
  )
  if (!outcome.ok) throw new Error(outcome.reason)
  const presented = JSON.parse(outcome.entries[0]?.text ?? '')
  expect(presented).toEqual({ ...anEntry, timestamp: new Date(NOW).toISOString() })
  expect(Object.keys(presented).toSorted()).toEqual(Object.keys(JobErrorResponse.shape).toSorted())
})

describe('Every field of a report', () => {
  test.each(Object.keys(REPORT) as (keyof Report)[])('%s changes the job', (field) => {
    const job = aJob({})
    const outcome = applyReport(job, { [field]: REPORT[field] }, NOW, () => 'clean', 1_000_000)
    if (!outcome.ok) throw new Error(outcome.reason)
    const { revision, updatedAt } = job
    expect({ ...outcome.job, revision, updatedAt }).not.toEqual(job)
  })
})
