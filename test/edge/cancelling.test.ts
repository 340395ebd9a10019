import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** A running job of an organisation of its own. */
async function aRunningJob() {
  const org = freshOrganization()
  const { key } = await issueKey(edge, { org })
  const created = await call(edge, key, 'POST', '/api/jobs/', { job_type: 'import', total_items: 10 })
  const path = `/api/jobs/${created.body.job_id}`
  const report = (body: object) => call(edge, key, 'POST', `${path}/progress`, body)
  expect((await report({ mark_started: true, processed_items: 4 })).status).toBe(200)
  return {
    org,
    key,
    path,
    report,
    cancel: (body?: unknown) => call(edge, key, 'POST', `${path}/cancel`, body),
    read: async () => (await call(edge, key, 'GET', path)).body,
  }
}

test('a job is cancelled, and its reason kept, here and in the list', async () => {
  const { key, cancel, read } = await aRunningJob()
  const { status, headers, body } = await cancel({ reason: 'The wrong file' })
  expect(status).toBe(200)
  expect(headers.get('ETag')).toBe('W/"3"')
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
  ['fields that it does not know', { because: 'I can' }],
])('%s gives no reason', async (_, sent) => {
  const { cancel } = await aRunningJob()
  expect(await cancel(sent)).toMatchObject({
    status: 200,
    body: { status: 'cancelled', error_message: null },
  })
})

test('a job that has not begun can be cancelled', async () => {
  const { key } = await issueKey(edge, { org: freshOrganization() })
  const { body } = await call(edge, key, 'POST', '/api/jobs/', { job_type: 'import', total_items: 10 })
  expect(await call(edge, key, 'POST', `/api/jobs/${body.job_id}/cancel/`)).toMatchObject({
    status: 200,
    body: { status: 'cancelled', started_at: null, duration_seconds: null },
  })
})

test('cancelled again, it is the same job', async () => {
  const { cancel, read } = await aRunningJob()
  const first = await cancel({ reason: 'The wrong file' })
  for (const sent of [{ reason: 'The wrong file' }, { reason: 'Another reason' }, undefined]) {
    const again = await cancel(sent)
    expect(again).toMatchObject({ status: 200, text: first.text })
    expect(again.headers.get('ETag')).toBe(first.headers.get('ETag'))
  }
  expect(await read()).toEqual(first.body)
})

test.each([
  { stage: 'uploading' },
  { processed_items: 5 },
  { mark_completed: true },
  { mark_failed: 'x' },
  {},
])('the worker’s next report, %o, gets a 409 that says so, and changes nothing', async (report) => {
  const worker = await aRunningJob()
  const { body } = await worker.cancel({ reason: 'The wrong file' })
  expect(await worker.report(report)).toMatchObject({
    status: 409,
    body: { detail: 'Job is cancelled and takes no more reports' },
  })
  expect(await worker.read()).toEqual(body)
})

test.each([
  ['completed', { mark_completed: true }],
  ['failed', { mark_failed: 'gone' }],
])('a job that is %s is not cancelled any more', async (status, mark) => {
  const { report, cancel, read } = await aRunningJob()
  const { body } = await report(mark)
  expect(await cancel({ reason: 'too late' })).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining(`Job is ${status}`) },
  })
  expect(await read()).toEqual(body)
})

test('whoever may create and read may not cancel', async () => {
  const { org, path, read } = await aRunningJob()
  const { key } = await issueKey(edge, { org, permissions: ['job:create', 'job:read'] })
  expect(await call(edge, key, 'POST', `${path}/cancel`)).toMatchObject({
    status: 403,
    body: { detail: 'Missing required permission: job:cancel' },
  })
  expect((await read()).status).toBe('in_progress')
})

test('whoever may only cancel can', async () => {
  const { org, path } = await aRunningJob()
  const { key } = await issueKey(edge, { org, permissions: ['job:cancel'] })
  expect(await call(edge, key, 'POST', `${path}/cancel`)).toMatchObject({
    status: 200,
    body: { status: 'cancelled' },
  })
})

test.each<[string, unknown, Record<string, string>, object]>([
  ['a reason that is no text', { reason: 5 }, {}, { type: 'string_type', loc: ['body', 'reason'], input: 5 }],
  [
    'too long a reason',
    { reason: 'x'.repeat(16_385) },
    {},
    { type: 'string_too_long', loc: ['body', 'reason'] },
  ],
  ['a list', [], {}, { type: 'model_attributes_type', loc: ['body'] }],
  ['what is no JSON', '{', {}, { type: 'json_invalid', loc: ['body', 1] }],
  [
    'another content type',
    '{}',
    { 'Content-Type': 'text/plain' },
    { type: 'model_attributes_type', loc: ['body'], input: '{}' },
  ],
])('%s is a 422, and cancels nothing', async (_, sent, headers, problem) => {
  const { key, path, read } = await aRunningJob()
  const { status, body } = await call(edge, key, 'POST', `${path}/cancel`, sent, headers)
  expect({ status, detail: body.detail }).toMatchObject({ status: 422, detail: [problem] })
  expect((await read()).status).toBe('in_progress')
})

test('a job that is not there is not found', async () => {
  const { key } = await aRunningJob()
  const reply = await call(edge, key, 'POST', `/api/jobs/job_${'0'.repeat(32)}/cancel`)
  expect(reply).toMatchObject({ status: 404, body: { detail: 'Job not found' } })
})
