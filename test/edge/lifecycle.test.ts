import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aCaller, anError, aWarning, aWorker, NEW_JOB, TIME } from './fixtures.ts'
import { entryBytes, startEdge } from './harness.ts'

const JOB_ID = expect.stringMatching(/^job_[0-9a-f]{32}$/)

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

describe('A new job', () => {
  test('is pending, and has every field of the contract and our additions', async () => {
    const { created } = await aWorker(edge, {
      job_type: 'enrichment',
      total_items: 10,
      metadata: { source: 'sftp' },
      triggered_by: 'nightly',
    })
    expect(created).toStrictEqual({
      job_id: JOB_ID,
      job_type: 'enrichment',
      status: 'pending',
      total_items: 10,
      processed_items: 0,
      counters: {},
      counters_not_kept: 0,
      failed_items: 0,
      warned_items: 0,
      progress_percentage: 0,
      success_rate: 0,
      created_at: TIME,
      started_at: null,
      completed_at: null,
      duration_seconds: null,
      triggered_by: 'nightly',
      error_message: null,
      error_count: 0,
      warning_count: 0,
      entities_not_kept: 0,
      entries_not_kept: 0,
      entry_bytes: 0,
      eta_seconds: null,
      rate_per_second: null,
      stall_after_seconds: null,
      stalled_at: null,
      start_within_seconds: null,
      finish_within_seconds: null,
      late_at: null,
      labels: {},
      parent_job_id: null,
      callback_url: null,
      stages: [],
      errors: [],
      warnings: [],
      metadata: { source: 'sftp' },
    })
  })

  test('needs only a type and a size', async () => {
    const { created } = await aWorker(edge, { job_type: 'crawl', total_items: 0 })
    expect(created).toMatchObject({ metadata: {}, triggered_by: null, total_items: 0 })
  })

  test('has an ID that sorts by the time of creation', async () => {
    const { post } = await aCaller(edge)
    const ids: string[] = []
    for (let count = 0; count < 5; count++) ids.push((await post('/api/jobs/', NEW_JOB)).body.job_id)
    expect(new Set(ids).size).toBe(5)
    expect(ids).toEqual(ids.toSorted())
  })
})

describe('A worker', () => {
  test('takes its job from pending to finished, and each reply shows the whole job', async () => {
    const { created, reported, read } = await aWorker(edge, { job_type: 'import', total_items: 0 })

    let job = {
      ...created,
      status: 'in_progress',
      started_at: TIME,
      duration_seconds: expect.any(Number),
      // A slow machine may take long enough over this for a rate to be known.
      eta_seconds: expect.toBeOneOf([null, expect.any(Number)]),
      rate_per_second: expect.toBeOneOf([null, expect.any(Number)]),
    }
    const started = await reported({ mark_started: true })
    expect(started).toStrictEqual(job)

    job = {
      ...job,
      started_at: started.started_at,
      metadata: { stage: 'downloading', last_message: 'Go' },
      stages: [{ stage: 'downloading', started_at: TIME }],
    }
    expect(await reported({ stage: 'downloading', message: 'Go' })).toStrictEqual(job)

    job = { ...job, total_items: 8 }
    expect(await reported({ total_items: 8 })).toStrictEqual(job)

    job = { ...job, processed_items: 3, progress_percentage: 37.5, success_rate: 100 }
    expect(await reported({ processed_items: 3 })).toStrictEqual(job)

    const error = { ...anError, step: 'check', details: { row: 7, seen: [null, 'a'] } }
    job = {
      ...job,
      failed_items: 1,
      progress_percentage: 50,
      success_rate: 75,
      error_count: 1,
      entry_bytes: entryBytes([error]),
      errors: [{ ...error, timestamp: TIME }],
    }
    expect(await reported({ error })).toStrictEqual(job)

    const warnings = [{ ...aWarning, step: null, details: null, timestamp: TIME }]
    const entry_bytes = entryBytes([error, ...warnings])
    job = { ...job, warned_items: 1, warning_count: 1, entry_bytes, warnings }
    expect(await reported({ warning: aWarning })).toStrictEqual(job)

    job = { ...job, metadata: { ...job.metadata, import_job_id: 'enrichment-1' } }
    expect(await reported({ metadata_patch: { import_job_id: 'enrichment-1' } })).toStrictEqual(job)

    job = {
      ...job,
      processed_items: 7,
      progress_percentage: 100,
      success_rate: 87.5,
      status: 'partial_success',
      completed_at: TIME,
    }
    const finished = await reported({ processed_items: 7, mark_completed: true })
    expect(finished).toStrictEqual(job)
    const duration = (Date.parse(finished.completed_at) - Date.parse(finished.started_at)) / 1000
    expect(finished.duration_seconds).toBe(duration)
    expect(await read()).toStrictEqual(finished)
  })

  test('may report everything at once', async () => {
    const { created, reported } = await aWorker(edge)
    const job = await reported({
      mark_started: true,
      total_items: 2,
      processed_items: 1,
      metadata_patch: { stage: 'overruled', file: 'a.csv' },
      stage: 'uploading',
      message: 'Half of it',
      error: anError,
      warning: aWarning,
      mark_completed: true,
    })
    expect(job).toStrictEqual({
      ...created,
      status: 'partial_success',
      total_items: 2,
      processed_items: 1,
      failed_items: 1,
      warned_items: 1,
      progress_percentage: 100,
      success_rate: 50,
      started_at: TIME,
      completed_at: TIME,
      duration_seconds: 0,
      error_count: 1,
      warning_count: 1,
      entry_bytes: entryBytes([anError, aWarning].map((entry) => ({ ...entry, step: null, details: null }))),
      errors: [{ ...anError, step: null, details: null, timestamp: TIME }],
      warnings: [{ ...aWarning, step: null, details: null, timestamp: TIME }],
      metadata: { file: 'a.csv', stage: 'uploading', last_message: 'Half of it' },
      stages: [{ stage: 'uploading', started_at: TIME }],
    })
  })

  test('changes nothing with fields that are absent or null', async () => {
    const { reported } = await aWorker(edge, { job_type: 'import', total_items: 10, metadata: { seed: 1 } })
    const before = await reported({ stage: 'uploading', processed_items: 4 })
    const nothing = {
      total_items: null,
      processed_items: null,
      metadata_patch: null,
      stage: null,
      message: null,
      error: null,
      warning: null,
      mark_failed: null,
      mark_started: false,
      mark_completed: false,
    }
    expect(await reported({})).toStrictEqual(before)
    expect(await reported(nothing)).toStrictEqual(before)
  })

  test('may report the start twice: the first one counts', async () => {
    const { reported } = await aWorker(edge)
    const { started_at } = await reported({ mark_started: true })
    expect(await reported({ mark_started: true })).toMatchObject({ status: 'in_progress', started_at })
  })

  test('sees its newest 100 errors, oldest first, the count of all of them, and a link to the full list', async () => {
    const { path, report, reported } = await aWorker(edge, { job_type: 'import', total_items: 130 })
    const errors = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => ({ ...anError, entity_key: `sku-${from + index}` }))
    await reported({ errors: errors(0, 90) })
    const { body: job, headers } = await report({ error: errors(90, 91)[0], errors: errors(91, 130) })
    expect(job).toMatchObject({ failed_items: 130, error_count: 130, entries_not_kept: 0 })
    expect(headers.get('Link')).toBe(`<${path}/errors>; rel="errors"`)
    expect(job.errors.map(({ entity_key }: { entity_key: string }) => entity_key)).toEqual(
      errors(30, 130).map(({ entity_key }) => entity_key),
    )
  })
})

describe('A reader', () => {
  test('sees the job as last acknowledged, at every step', async () => {
    const { reported, read, get, path } = await aWorker(edge)
    for (const report of [{ stage: 'uploading' }, { processed_items: 5 }, { error: anError }]) {
      const job = await reported(report)
      expect(await read()).toStrictEqual(job)
      expect((await get(`${path}/status`)).body).toStrictEqual({
        job_id: job.job_id,
        status: job.status,
        progress_percentage: job.progress_percentage,
        processed_items: job.processed_items,
        failed_items: job.failed_items,
        total_items: job.total_items,
        stage: job.metadata.stage,
      })
    }
  })

  test('sees no stage if none was reported', async () => {
    const { get, path } = await aWorker(edge)
    expect((await get(`${path}/status`)).body).toMatchObject({ status: 'pending', stage: null })
  })
})

describe.each([
  { status: 'completed', first: {}, mark: { mark_completed: true } },
  { status: 'completed_with_warnings', first: { warning: aWarning }, mark: { mark_completed: true } },
  { status: 'partial_success', first: { error: anError }, mark: { mark_completed: true } },
  { status: 'failed', first: { processed_items: 3 }, mark: { mark_failed: 'The file is gone' } },
  { status: 'failed', first: {}, mark: { mark_failed: '' } },
  { status: 'failed', first: {}, mark: { mark_failed: 'late' }, together: { mark_completed: true } },
])('A job that $first and $mark finish as $status', ({ status, first, mark, together = {} }) => {
  /** A worker with the finished job. */
  async function aFinishedJob() {
    const worker = await aWorker(edge)
    await worker.reported({ mark_started: true, ...first })
    const finished = await worker.reported({ ...mark, ...together })
    expect(finished).toMatchObject({
      status,
      completed_at: TIME,
      error_message: 'mark_failed' in mark ? mark.mark_failed : null,
    })
    return { ...worker, finished }
  }

  test('takes the same mark again, and does not change', async () => {
    const { reported, read, finished } = await aFinishedJob()
    expect(await reported(mark)).toStrictEqual(finished)
    expect(await read()).toStrictEqual(finished)
  })

  test('refuses anything else with 409, which names the status, and does not change', async () => {
    const { report, read, finished } = await aFinishedJob()
    const others = [
      {},
      { mark_started: true },
      { stage: 'uploading' },
      { processed_items: 9 },
      { error: anError },
      { ...mark, stage: 'uploading' },
      { mark_failed: 'Something else' },
      ...(status === 'failed' ? [{ mark_completed: true }] : []),
    ]
    for (const other of others) {
      const { status: answered, body } = await report(other)
      expect({ other, answered, body }).toEqual({
        other,
        answered: 409,
        body: { detail: `Job is ${status} and takes no more reports` },
      })
    }
    expect(await read()).toStrictEqual(finished)
  })
})
