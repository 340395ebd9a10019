import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aCaller, NEW_JOB } from './fixtures.ts'
import { startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

const NO_CHILDREN = {
  count: 0,
  is_exact: true,
  by_status: {},
  total_items: 0,
  processed_items: 0,
  failed_items: 0,
}

/** A caller, and a way to create a job that must succeed. */
async function aFamily() {
  const caller = await aCaller(edge)
  const create = async (newJob: object = {}): Promise<string> => {
    const reply = await caller.post('/api/jobs/', { ...NEW_JOB, ...newJob })
    expect(reply.status).toBe(200)
    return reply.body.job_id
  }
  return { ...caller, create, parent: await create() }
}

test('a job shows its children by status, with their items summed, and lists them', async () => {
  const { get, post, create, parent } = await aFamily()
  const path = `/api/jobs/${parent}`
  expect((await get(path)).body).toMatchObject({
    children: NO_CHILDREN,
    linked_from: [],
    parent_job_id: null,
  })
  const first = await create({ parent_job_id: parent, total_items: 10 })
  const second = await create({ parent_job_id: parent, total_items: 5 })
  await create({ parent_job_id: first })
  await post(`/api/jobs/${second}/progress`, {
    processed_items: 3,
    error: { entity_type: 'product', entity_key: 'sku-1', error_type: 'bad', message: 'bad' },
    mark_completed: true,
  })
  const children = {
    count: 2,
    is_exact: true,
    by_status: { pending: 1, partial_success: 1 },
    total_items: 15,
    processed_items: 3,
    failed_items: 1,
  }
  await vi.waitFor(async () => expect((await get(path)).body.children).toEqual(children), { timeout: 5_000 })

  const idsOf = async (search: string) => {
    const { body } = await get(`${path}/children${search}`)
    return { ids: body.jobs.map(({ job_id }: { job_id: string }) => job_id), next: body.next_cursor }
  }
  const page = await idsOf('?limit=1')
  expect(page.ids).toEqual([second])
  expect(await idsOf(`?limit=1&cursor=${page.next}`)).toEqual({ ids: [first], next: null })
  expect((await idsOf('?sort=oldest&metadata=false')).ids).toEqual([first, second])
  expect((await get(`/api/jobs/${first}`)).body.parent_job_id).toBe(parent)
  for (const search of ['?limit=0', '?cursor=x', '?sort=best']) {
    expect((await get(`${path}/children${search}`)).status).toBe(422)
  }
})

test('a job shows the jobs that name it as their import, and its ETag changes with them', async () => {
  const { get, post, create, parent } = await aFamily()
  const path = `/api/jobs/${parent}`
  const before = (await get(path)).headers.get('ETag') ?? ''
  expect((await get(path, { 'If-None-Match': before })).status).toBe(304)
  const linked = await create({ job_type: 'enrichment', metadata: { import_job_id: parent } })
  await create({ metadata: { import_job_id: parent.toUpperCase(), export_job_id: parent } })
  const shown = [{ job_id: linked, job_type: 'enrichment', status: 'pending' }]
  // D1 is asked once a second.
  const reply = await vi.waitFor(async () => {
    const reply = await get(path, { 'If-None-Match': before })
    expect(reply).toMatchObject({ status: 200, body: { linked_from: shown } })
    return reply
  }, 3_000)
  const after = reply.headers.get('ETag') ?? ''
  expect((await get(path, { 'If-None-Match': after })).status).toBe(304)
  await post(`/api/jobs/${linked}/progress`, {
    metadata_patch: { import_job_id: 'another' },
    mark_started: true,
  })
  await vi.waitFor(
    async () => expect((await get(path, { 'If-None-Match': after })).body?.linked_from).toEqual([]),
    3_000,
  )
})

test('a parent must be a job of the same organization: otherwise nothing is created', async () => {
  const { get, post } = await aFamily()
  const stranger = await aFamily()
  for (const parent of [stranger.parent, `job_${'0'.repeat(32)}`, 'no job/', '']) {
    const reply = await post('/api/jobs/', { ...NEW_JOB, parent_job_id: parent })
    expect(reply).toMatchObject({
      status: 422,
      body: {
        detail: [
          {
            type: 'value_error',
            loc: ['body', 'parent_job_id'],
            msg: 'Value error, the organization has no such job',
            input: parent,
          },
        ],
      },
    })
  }
  expect((await get('/api/jobs/')).body.jobs).toHaveLength(1)
  expect((await stranger.get(`/api/jobs/${stranger.parent}`)).body.children).toEqual(NO_CHILDREN)
})

test('a keyed create of a child is repeated like any other', async () => {
  const { post, parent } = await aFamily()
  const child = { ...NEW_JOB, parent_job_id: parent, labels: { shop: 'a' } }
  const [first, second] = [
    await post('/api/jobs/', child, { 'Idempotency-Key': 'k' }),
    await post('/api/jobs/', child, { 'Idempotency-Key': 'k' }),
  ]
  expect(second.body).toEqual(first.body)
  expect(first.body).toMatchObject({ parent_job_id: parent, labels: { shop: 'a' } })
})
