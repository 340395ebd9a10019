import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Edge } from '../../scripts/edge.ts'
import * as replies from '../../src/openapi/replies.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** The schemas as published, but with every field there and no other: nothing is answered that is not described. */
const exactly = {
  JobResponse: z.strictObject({
    ...replies.JobResponse.required().shape,
    errors: z.array(z.strictObject(replies.JobErrorResponse.required().shape)),
    warnings: z.array(z.strictObject(replies.JobErrorResponse.required().shape)),
  }),
  JobStatusResponse: z.strictObject(replies.JobStatusResponse.shape),
}

const entry = { entity_key: 'sku-1', entity_type: 'product', error_type: 'no_price', message: 'No price' }

test('The edge serves the description, to anyone', async () => {
  const { status, headers, body } = await call(edge, null, 'GET', '/openapi.json')
  expect(status).toBe(200)
  expect(headers.get('Content-Type')).toBe('application/json')
  expect(body.openapi).toBe('3.1.0')
  expect(replies.OpenapiResponse.parse(body)).toBeTruthy()
})

test('What is answered of a job, from its creation to its end, is as described', async () => {
  const { key } = await issueKey(edge, { org: freshOrganization() })
  const metadata = { nested: { list: [1, 'two', null] } }
  const order = { job_type: 'import', total_items: 4, metadata, triggered_by: 'nightly' }
  const { body: job } = await call(edge, key, 'POST', '/api/jobs/', order)
  exactly.JobResponse.parse(job)
  const path = `/api/jobs/${job.job_id}`
  for (const report of [
    { mark_started: true, stage: 'downloading', message: 'Go' },
    { total_items: 2 ** 53 + 2, processed_items: 2 ** 62 },
    { total_items: 3, processed_items: 1, error: { ...entry, step: 'check', details: { row: 1 } } },
    { warning: entry, metadata_patch: { stage: { of: 'any shape' } } },
    { mark_completed: true },
  ]) {
    const { status, body } = await call(edge, key, 'POST', `${path}/progress`, report)
    expect(status).toBe(200)
    exactly.JobResponse.parse(body)
    exactly.JobResponse.parse((await call(edge, key, 'GET', path)).body)
    exactly.JobStatusResponse.parse((await call(edge, key, 'GET', `${path}/status`)).body)
  }
})

test('Refusals are as described', async () => {
  const { key } = await issueKey(edge, { org: freshOrganization() })
  const wrong = await call(edge, key, 'POST', '/api/jobs/', { job_type: 5, total_items: -1 })
  expect(wrong.status).toBe(422)
  expect(replies.HTTPValidationError.parse(wrong.body).detail).toHaveLength(2)
  for (const [path, status] of [
    ['/api/jobs/nonsense', 404],
    ['/nowhere', 404],
    ['/api/jobs/nonsense/progress', 405],
  ] as const) {
    const reply = await call(edge, key, 'GET', path)
    expect(reply.status).toBe(status)
    z.strictObject(replies.ErrorResponse.shape).parse(reply.body)
  }
})

test('The edge says that it is well', async () => {
  const { status, body } = await call(edge, null, 'GET', '/healthz')
  expect(status).toBe(200)
  z.strictObject(replies.HealthResponse.shape).parse(body)
})
