import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'

let edge: Edge
let key: string

beforeAll(async () => {
  // .dev.vars and the dashboard set variables as text.
  const bindings = { ABANDONED_AFTER_DAYS: '0', RETENTION_DAYS: '0', ALLOW_LOOPBACK_CALLBACKS: 'false' }
  edge = await startEdge({ bindings })
  key = (await issueKey(edge, { org: freshOrganization() })).key
})
afterAll(() => edge?.dispose())

test('a job is never abandoned if the setting is the text "0"', async () => {
  const created = await call(edge, key, 'POST', '/api/jobs/', { job_type: 'import', total_items: 1 })
  const path = `/api/jobs/${created.body.job_id}`
  expect((await call(edge, key, 'POST', `${path}/progress`, { mark_started: true })).status).toBe(200)
  expect((await call(edge, key, 'GET', path)).body).toMatchObject({
    status: 'in_progress',
    error_message: null,
  })
})

test('a callback to this machine is refused if the setting is the text "false"', async () => {
  const body = { job_type: 'import', total_items: 1, callback_url: 'http://localhost:8080/hook' }
  expect((await call(edge, key, 'POST', '/api/jobs/', body)).status).toBe(422)
})
