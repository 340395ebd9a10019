import { describe, expect, test } from 'vitest'
import { applyReport } from '../../src/jobs/apply-report.ts'
import { entryText } from '../../src/jobs/entry-text.ts'
import type { Job, Report, ReportedEntry } from '../../src/jobs/job.ts'
import { aJob, aReportedEntry, JobInMemory } from './fixtures.ts'

const NOW = 1_800_000_000_000

describe('one report', () => {
  test('takes effect in one step, and absent fields have no effect', () => {
    const job = apply(aJob({ metadata: { source: 'sftp' } }), {
      markStarted: true,
      totalItems: 10,
      processedItems: 4,
      metadataPatch: { import_job_id: 'enrichment-1' },
      stage: 'uploading',
      message: 'batch 1',
    })
    expect(job).toMatchObject({
      status: 'in_progress',
      startedAt: NOW,
      totalItems: 10,
      processedItems: 4,
      metadata: {
        source: 'sftp',
        import_job_id: 'enrichment-1',
        stage: 'uploading',
        last_message: 'batch 1',
      },
    })
    expect(apply(job, {})).toEqual({ ...job, revision: job.revision + 1 })
  })

  test('sets processed_items as given, even if it falls or exceeds the total', () => {
    let job = apply(aJob({ totalItems: 5 }), { processedItems: 9 })
    expect(job.processedItems).toBe(9)
    job = apply(job, { processedItems: 2 })
    expect(job.processedItems).toBe(2)
  })

  test('raises the revision by one', () => {
    expect(apply(aJob({ revision: 7 }), { stage: 'x' }).revision).toBe(8)
  })
})

describe('metadata', () => {
  test('is merged at the top level only, and null is a value', () => {
    const job = apply(aJob({ metadata: { a: { x: 1 }, b: 2 } }), { metadataPatch: { a: { y: 2 }, b: null } })
    expect(job.metadata).toEqual({ a: { y: 2 }, b: null })
  })

  test('prefers stage and message to a patch of the same keys', () => {
    const patch = { stage: 'patched', last_message: 'patched' }
    const job = apply(aJob({}), { metadataPatch: patch, stage: 'said', message: 'told' })
    expect(job.metadata).toEqual({ stage: 'said', last_message: 'told' })
  })

  test('keeps __proto__ and its like as ordinary keys', () => {
    const patch = JSON.parse('{"__proto__":{"admin":true},"constructor":1}')
    const job = apply(aJob({ metadata: { a: 1 } }), { metadataPatch: patch })
    expect(JSON.stringify(job.metadata)).toBe('{"a":1,"__proto__":{"admin":true},"constructor":1}')
    expect(Object.getPrototypeOf(job.metadata)).toBe(Object.prototype)
  })

  test('takes at most 64 KB in all: a report that exceeds this changes nothing', () => {
    const job = apply(aJob({}), { metadataPatch: { a: 'x'.repeat(40_000) } })
    expect(outcome(job, { metadataPatch: { b: 'é'.repeat(20_000) }, processedItems: 5 })).toEqual({
      ok: false,
      reason: 'metadata_too_large',
    })
    expect(apply(job, { metadataPatch: { a: 'short', b: 'é'.repeat(20_000) } }).metadata.a).toBe('short')
  })
})

describe('starting', () => {
  test('sets started_at once, and a repeat does not change it', () => {
    const job = apply(aJob({}), { markStarted: true })
    const again = apply(job, { markStarted: true }, NOW + 5_000)
    expect(again).toEqual({ ...job, updatedAt: NOW + 5_000, revision: job.revision + 1 })
  })
})

describe('finishing', () => {
  test.each<[string, Report, Job['status']]>([
    ['nothing went wrong', {}, 'completed'],
    ['there was a warning', { warnings: [aReportedEntry({})] }, 'completed_with_warnings'],
    ['an item failed', { errors: [aReportedEntry({})], warnings: [aReportedEntry({})] }, 'partial_success'],
    ['the job itself had an error', { errors: [aReportedEntry({ entityType: 'job' })] }, 'partial_success'],
  ])('completes by what was reported: %s', (_, before, status) => {
    const job = apply(apply(aJob({}), before), { markCompleted: true })
    expect(job).toMatchObject({ status, completedAt: NOW, startedAt: NOW })
  })

  test('counts the entries of the report that completes the job', () => {
    expect(apply(aJob({}), { errors: [aReportedEntry({})], markCompleted: true }).status).toBe(
      'partial_success',
    )
  })

  test('fails with the given text, even an empty one, and sets no started_at', () => {
    expect(apply(aJob({}), { markFailed: '' })).toMatchObject({
      status: 'failed',
      errorMessage: '',
      completedAt: NOW,
      startedAt: null,
    })
  })

  test('fails if a report says both: a report of failure is never lost', () => {
    const job = apply(aJob({}), { markCompleted: true, markFailed: 'disk full' })
    expect(job).toMatchObject({ status: 'failed', errorMessage: 'disk full' })
  })
})

describe('a finished job is closed', () => {
  const completed = apply(aJob({}), { markCompleted: true })
  const failed = apply(aJob({}), { markFailed: 'disk full' })

  test.each<[string, Job, Report]>([
    ['completed again', completed, { markCompleted: true }],
    ['failed again with the same text', failed, { markFailed: 'disk full' }],
    ['the report that said both', failed, { markFailed: 'disk full', markCompleted: true }],
  ])('to all but the same mark, which leaves it unchanged: %s', (_, job, report) => {
    expect(outcome(job, report)).toEqual({ ok: true, job, entries: [], entities: [] })
  })

  test.each<[string, Job, Report]>([
    ['the same mark and something else', completed, { markCompleted: true, stage: 'late' }],
    ['another mark', completed, { markFailed: 'late' }],
    ['another text', failed, { markFailed: 'something else' }],
    ['a completion of what failed', failed, { markCompleted: true }],
    ['a start', completed, { markStarted: true }],
    ['a count', failed, { processedItems: 3 }],
    ['nothing at all', completed, {}],
    ['a completion of what was cancelled', aJob({ status: 'cancelled' }), { markCompleted: true }],
  ])('and says so: %s', (_, job, report) => {
    expect(outcome(job, report)).toEqual({ ok: false, reason: 'closed', status: job.status })
  })
})

describe('failed and warned items', () => {
  test('are distinct entities, whatever the number of entries', () => {
    const memory = new JobInMemory(aJob({}))
    memory.report({ errors: [entry('a'), entry('a'), entry('b')], warnings: [entry('c'), entry('c')] })
    memory.report({ errors: [entry('a')], warnings: [entry('c'), entry('d')] })
    expect(memory.job).toMatchObject({ failedItems: 2, warnedItems: 2, errorCount: 4, warningCount: 4 })
  })

  test('tell entities with the same key and different types apart', () => {
    const memory = new JobInMemory(aJob({}))
    memory.report({ errors: [entry('a', 'product'), entry('a', 'price')] })
    expect(memory.job.failedItems).toBe(2)
  })

  test('leave out errors of the job itself', () => {
    const memory = new JobInMemory(aJob({}))
    memory.report({ errors: [entry('a', 'job')], warnings: [entry('b', 'job')] })
    expect(memory.job).toMatchObject({ failedItems: 0, warnedItems: 0, errorCount: 1, warningCount: 1 })
  })

  test('count an entity with errors and warnings only as failed, whichever came first', () => {
    const memory = new JobInMemory(aJob({}))
    memory.report({ warnings: [entry('a'), entry('b')] })
    memory.report({ errors: [entry('a')] })
    memory.report({ warnings: [entry('a')] })
    expect(memory.job).toMatchObject({ failedItems: 1, warnedItems: 1 })
  })
})

describe('a full job', () => {
  const full = aJob({ errorCount: 99_998, keptErrors: 99_998, totalItems: 10 })

  test('keeps 100,000 entries in all, errors before warnings, and counts the rest', () => {
    const errors = [entry('a'), entry('b'), entry('c')]
    const result = outcome(full, { errors, warnings: [entry('d')] })
    expect(result).toMatchObject({
      job: { errorCount: 100_001, keptErrors: 100_000, warningCount: 1, keptWarnings: 0 },
      entries: [{ seq: 99_999 }, { seq: 100_000 }],
    })
    // Entries that are not kept still count: three items failed, and one has a warning.
    expect(result).toMatchObject({ job: { failedItems: 3, warnedItems: 1 } })
  })

  test('keeps every entry that fits into its bytes, and counts the rest', () => {
    const [small, large] = [entry('é'), { ...entry('b'), message: 'x'.repeat(1_000) }]
    const bytes = new TextEncoder().encode(entryText(small, NOW)).length
    const job = aJob({ errorCount: 1, keptErrors: 1, entryBytes: 100 })
    const report = { errors: [small, large, small], warnings: [large, small, small] }
    const result = outcome(job, report, NOW, 100 + 3 * bytes)
    expect(result).toMatchObject({
      job: { errorCount: 4, keptErrors: 3, warningCount: 3, keptWarnings: 1, entryBytes: 100 + 3 * bytes },
      entries: [
        { kind: 'error', seq: 2 },
        { kind: 'error', seq: 3 },
        { kind: 'warning', seq: 1 },
      ],
    })
  })

  test('keeps what it has when the bound is lowered', () => {
    const result = outcome(aJob({ entryBytes: 500 }), { errors: [entry('a')] }, NOW, 400)
    expect(result).toMatchObject({ job: { entryBytes: 500, errorCount: 1, keptErrors: 0 }, entries: [] })
  })

  test('still takes a mark', () => {
    const job = apply(
      { ...full, keptErrors: 100_000, metadata: { a: 'x'.repeat(65_525) } },
      { markCompleted: true },
    )
    expect(job.status).toBe('partial_success')
  })
})

test('entries get a number and a time, and nothing else', () => {
  const job = aJob({ errorCount: 41, keptErrors: 41 })
  const result = outcome(job, { errors: [entry('a'), entry('b')], warnings: [entry('c')] })
  expect(result).toMatchObject({
    entries: [
      { kind: 'error', seq: 42 },
      { kind: 'error', seq: 43 },
      { kind: 'warning', seq: 1 },
    ],
  })
  expect(JSON.parse(entryText(entry('a'), NOW))).toEqual({
    entity_key: 'a',
    entity_type: 'product',
    error_type: 'bad_row',
    message: 'cannot be used',
    timestamp: '2027-01-15T08:00:00.000Z',
    step: null,
    details: null,
  })
})

function outcome(job: Job, report: Report, now = NOW, maxEntryBytes = 100_000) {
  return applyReport(job, report, now, () => 'clean', maxEntryBytes)
}

function apply(job: Job, report: Report, now = NOW): Job {
  const result = outcome(job, report, now)
  if (!result.ok) throw new Error(`refused: ${result.reason}`)
  return result.job
}

function entry(entityKey: string, entityType = 'product'): ReportedEntry {
  return aReportedEntry({ entityKey, entityType })
}
