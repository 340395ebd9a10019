import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { anError, aRunningJob, aWarning, aWorker } from './fixtures.ts'
import { call, type Reply, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** A job in progress, with some of its items processed. */
async function aHalfDoneJob() {
  const worker = await aRunningJob(edge)
  await worker.reported({ processed_items: 4 })
  return worker
}

test('a canceled job keeps the reason, and is listed as canceled', async () => {
  const { key, cancel, read } = await aHalfDoneJob()
  const { status, headers, body } = await cancel({ reason: 'The wrong file' })
  expect(status).toBe(200)
  expect(headers.get('ETag')).toBe('W/"4"')
  expect(body).toMatchObject({
    status: 'cancelled',
    error_message: 'The wrong file',
    completed_at: expect.any(String),
    processed_items: 4,
    progress_percentage: 40,
    eta_seconds: null,
  })
  expect(await read()).toEqual(body)
  const { errors: _, warnings: __, ...summary } = body
  expect((await call(edge, key, 'GET', '/api/jobs/?status=cancelled')).body.jobs).toEqual([summary])
  expect((await call(edge, key, 'GET', '/api/jobs/?status=in_progress')).body.jobs).toEqual([])
})

test.each<[string, unknown]>([
  ['no body', undefined],
  ['an empty object', {}],
  ['a reason of null', { reason: null }],
  ['unknown fields', { because: 'I can' }],
])('a cancellation with %s has no reason', async (_, sent) => {
  const { cancel } = await aHalfDoneJob()
  expect(await cancel(sent)).toMatchObject({
    status: 200,
    body: { status: 'cancelled', error_message: null },
  })
})

test('a pending job can be canceled', async () => {
  const { cancel } = await aWorker(edge)
  expect(await cancel()).toMatchObject({
    status: 200,
    body: { status: 'cancelled', started_at: null, duration_seconds: null },
  })
})

test('canceling again changes nothing, and keeps the first reason', async () => {
  const { cancel, read } = await aHalfDoneJob()
  const first = await cancel({ reason: 'The wrong file' })
  for (const sent of [{ reason: 'The wrong file' }, { reason: 'Another reason' }, undefined]) {
    const again = await cancel(sent)
    expect(again).toMatchObject({ status: 200, text: first.text })
    expect(again.headers.get('ETag')).toBe(first.headers.get('ETag'))
  }
  expect(await read()).toEqual(first.body)
})

const CLOSED = { status: 409, body: { detail: 'Job is cancelled and takes no more reports' } }
const jobStatus = ({ headers }: Reply) => headers.get('Job-Status')

test.each([
  { mark_started: true },
  { processed_items: 5, mark_completed: true },
  { mark_failed: 'x' },
  { processed_items: null },
  {},
])('after a cancellation, the worker’s report %o gets 409 and changes nothing', async (report) => {
  const worker = await aHalfDoneJob()
  const { body } = await worker.cancel({ reason: 'The wrong file' })
  const reply = await worker.report(report)
  expect(reply).toMatchObject(CLOSED)
  expect(jobStatus(reply)).toBe('cancelled')
  expect(await worker.read()).toEqual(body)
})

test('a worker still gets in what it has not sent: one final report, and its repeats', async () => {
  const worker = await aHalfDoneJob()
  const { body: canceled } = await worker.cancel({ reason: 'The wrong file' })
  const report = { processed_delta: 2, counters: { created: 2 }, errors: [anError], warning: aWarning }
  const send = (key: string) => worker.report(report, { 'Idempotency-Key': key })

  // Both at once: one is applied.
  const both = await Promise.all([send('final'), send('another')])
  const [taken, refused] = both.toSorted((a, b) => a.status - b.status)
  expect(both.map(jobStatus)).toEqual(['cancelled', 'cancelled'])
  expect(refused).toMatchObject(CLOSED)
  expect(taken).toMatchObject({
    status: 200,
    body: {
      ...canceled,
      processed_items: 6,
      failed_items: 1,
      warned_items: 1,
      counters: { created: 2 },
      ...{ progress_percentage: 70, success_rate: 85.71, error_count: 1, warning_count: 1 },
      ...{ entry_bytes: expect.any(Number), errors: [anError], warnings: [aWarning] },
    },
  })
  const again = await send(both[0] === taken ? 'final' : 'another')
  expect(again).toMatchObject({ status: 200, text: taken?.text })
  expect(again.headers.get('Idempotency-Replayed')).toBe('true')
  expect(jobStatus(again)).toBe('cancelled')

  expect(await worker.report({ processed_delta: 1 })).toMatchObject(CLOSED)
  expect(await worker.read()).toEqual(taken?.body)
  // D1 has it, too.
  const { errors: _, warnings: __, ...summary } = taken?.body ?? {}
  const listed = async () => (await call(edge, worker.key, 'GET', '/api/jobs/')).body.jobs
  await expect.poll(listed, { timeout: 10_000 }).toEqual([summary])
})

test('every reply to a report says what status the job has now, even if it repeats an older reply', async () => {
  const worker = await aWorker(edge)
  const keyed = { 'Idempotency-Key': 'k' }
  const first = await worker.report({ mark_started: true, processed_items: 1 }, keyed)
  expect(jobStatus(first)).toBe('in_progress')
  await worker.cancel()
  const again = await worker.report({ mark_started: true, processed_items: 1 }, keyed)
  expect(again).toMatchObject({ status: 200, text: first.text, body: { status: 'in_progress' } })
  expect(jobStatus(again)).toBe('cancelled')

  const other = await aWorker(edge)
  expect(jobStatus(await other.report({ mark_completed: true }))).toBe('completed')
  expect(jobStatus(await other.report({ stage: 'late' }))).toBe('completed')
})

test('how long a canceled job takes a final report can be set, to nothing for instance', async () => {
  const strict = await startEdge({ bindings: { CANCEL_GRACE_SECONDS: 0 } })
  try {
    const { cancel, report } = await aRunningJob(strict)
    await cancel()
    expect(await report({ processed_delta: 1 })).toMatchObject(CLOSED)
  } finally {
    await strict.dispose()
  }
})

test.each([
  ['completed', { mark_completed: true }],
  ['failed', { mark_failed: 'gone' }],
])('a %s job cannot be canceled', async (status, mark) => {
  const { report, cancel, read } = await aHalfDoneJob()
  const { body } = await report(mark)
  expect(await cancel({ reason: 'too late' })).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining(`Job is ${status}`) },
  })
  expect(await read()).toEqual(body)
})

test.each<[string, unknown, object]>([
  ['a reason that is not a string', 5, { type: 'string_type', input: 5 }],
  ['a reason of more than 16,384 characters', 'x'.repeat(16_385), { type: 'string_too_long' }],
])('%s is refused with 422, and the job is not canceled', async (_, reason, problem) => {
  const { cancel, read } = await aHalfDoneJob()
  const { status, body } = await cancel({ reason })
  expect({ status, detail: body.detail }).toMatchObject({
    status: 422,
    detail: [{ ...problem, loc: ['body', 'reason'] }],
  })
  expect((await read()).status).toBe('in_progress')
})
