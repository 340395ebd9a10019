import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, entryBytes, issueKey, startEdge } from './harness.ts'
import { archived, live, pending } from './recorded-0.1.0/jobs.json' with { type: 'json' }

/** Version 0.1.0 left three jobs of this organization on a disk, each created by a keyed request with this body. */
const ORGANIZATION = 'recorded-shop'
const newJob = {
  job_type: 'feed_import',
  total_items: 10,
  metadata: { source: 'sftp' },
  triggered_by: 'nightly',
  stall_after_seconds: 86_400,
  callback_url: 'https://example.com/hook',
}

const NO_DEADLINES = { start_within_seconds: null, finish_within_seconds: null, late_at: null }

let edge: Edge
let key: string

beforeAll(async () => {
  // The recording ages: no duty may change the jobs by itself.
  const bindings = { ABANDONED_AFTER_DAYS: 0, RETENTION_DAYS: 0, ARCHIVE_AFTER_SECONDS: 1_000_000_000 }
  edge = await startEdge({ state: join(import.meta.dirname, 'recorded-0.1.0/state'), bindings })
  key = (await issueKey(edge, { org: ORGANIZATION })).key
})
afterAll(() => edge?.dispose())

const get = (path: string) => call(edge, key, 'GET', path)

/** The job without the fields that change with time, and without its relatives. */
function still({
  duration_seconds: _,
  eta_seconds: __,
  rate_per_second: ___,
  stalled_at,
  children,
  linked_from,
  ...job
}: object & {
  duration_seconds?: unknown
  eta_seconds?: unknown
  rate_per_second?: unknown
  stalled_at?: unknown
  children?: unknown
  linked_from?: unknown
}) {
  return job
}

test.each(Object.entries({ archived, live, pending }))('the %s job reads as it was', async (_, recorded) => {
  const { status, body } = await get(`/api/jobs/${recorded.job_id}`)
  expect(status).toBe(200)
  const entry_bytes = entryBytes([...recorded.errors, ...recorded.warnings])
  const added = {
    entities_not_kept: 0,
    counters: {},
    counters_not_kept: 0,
    labels: {},
    parent_job_id: null,
    ...NO_DEADLINES,
  }
  expect(still(body)).toEqual({ ...still(recorded), ...added, entry_bytes })
})

test('all jobs are listed, and D1 counts the entries of the archived one by type', async () => {
  const { body } = await get('/api/jobs/')
  expect(body.jobs.map(({ job_id }: { job_id: string }) => job_id)).toEqual([
    pending.job_id,
    live.job_id,
    archived.job_id,
  ])
  const types = (entries: typeof archived.errors | typeof archived.warnings) =>
    entries
      .toSorted((a, b) => (a.error_type < b.error_type ? -1 : 1))
      .map(({ error_type, timestamp, entity_type, entity_key, message }) => ({
        error_type,
        count: 1,
        first_seen: timestamp,
        last_seen: timestamp,
        sample: { entity_type, entity_key, message },
      }))
  expect((await get(`/api/jobs/${archived.job_id}/entry-groups`)).body).toEqual({
    errors: types(archived.errors),
    other_errors: 0,
    warnings: types(archived.warnings),
    other_warnings: 0,
  })
})

test('what the organization has stored was counted', async () => {
  const entry_bytes = entryBytes(
    [archived, live, pending].flatMap(({ errors, warnings }) => [...errors, ...warnings]),
  )
  expect((await get('/api/usage')).body).toMatchObject({ live_jobs: 2, jobs: 3, entry_bytes })
})

test('the live job goes on: entities that failed before count once, and its end reaches D1', async () => {
  const report = (body: object, headers = {}) =>
    call(edge, key, 'POST', `/api/jobs/${live.job_id}/progress`, body, headers)
  const again = { ...live.errors[0], message: 'still no price' }
  const reply = await report({
    errors: [again, { ...again, entity_key: 'sku-9' }],
    processed_items: 6,
    counters: { a: 2 },
  })
  expect(reply).toMatchObject({
    status: 200,
    body: { counters: { a: 2 }, failed_items: 3, warned_items: 1, error_count: 4 },
  })
  const last = { mark_completed: true }
  const first = await report(last, { 'Idempotency-Key': 'last' })
  expect(first).toMatchObject({ status: 200, body: { status: 'partial_success' } })
  expect((await report(last, { 'Idempotency-Key': 'last' })).text).toBe(first.text)
  await vi.waitFor(async () => {
    const { body } = await get('/api/jobs/?status=partial_success')
    expect(body.jobs.map(({ job_id }: { job_id: string }) => job_id)).toContain(live.job_id)
  })
})

test('the replies to keyed reports are in their new table', async () => {
  const { results } = await (await edge.d1())
    .prepare('select request_key, job ->> ? as processed from idempotent_replies order by 1')
    .bind('$.processedItems')
    .all()
  expect(results).toEqual([
    { request_key: 'report a-1', processed: 0 },
    { request_key: 'report a-2', processed: 1 },
    { request_key: 'report a-3', processed: 1 },
  ])
})

test('a repeated create makes no second job', async () => {
  const reply = await call(edge, key, 'POST', '/api/jobs/', newJob, { 'Idempotency-Key': 'create-live' })
  // Within a day of the recording it is the same job; after that, the key has expired.
  if (reply.status === 200) expect(reply.body.job_id).toBe(live.job_id)
  else expect(reply.body.detail[0]).toMatchObject({ type: 'idempotency_key_expired' })
  expect((await get('/api/jobs/')).body.jobs).toHaveLength(3)
})
