import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { ListQuery, toFilter } from '../../src/endpoints/list-jobs.ts'
import { query } from '../../src/http/body/query.ts'
import { JOB_STATUSES } from '../../src/jobs/job.ts'

const app = new Hono().get('/', query(ListQuery), (c) => {
  const wanted = c.req.valid('query')
  const { limit, cursor, metadata, sort, include } = wanted
  return c.json({ filter: toFilter(wanted), limit, cursor, metadata, sort, include })
})

const JOB_ID = `job_${'0123456789abcdef'.repeat(2)}`

async function read(search: string) {
  const response = await app.request(`/?${search}`)
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}

/** The only problem of an invalid query. */
async function problemOf(search: string) {
  const { status, json } = await read(search)
  expect(status).toBe(422)
  expect(json.detail).toHaveLength(1)
  return (json.detail as unknown[])[0]
}

test('an empty query asks for all jobs with their metadata, 50 on a page', async () => {
  expect(await read('')).toEqual({
    status: 200,
    json: { filter: { statuses: [] }, limit: 50, metadata: true, sort: 'newest' },
  })
})

test('metadata=false leaves the metadata out', async () => {
  expect((await read('metadata=false')).json).toMatchObject({ metadata: false, limit: 50 })
  expect((await read('metadata=true')).json).toMatchObject({ metadata: true, limit: 50 })
})

test('several statuses may come in several fields or in one with commas', async () => {
  const statuses = ['pending', 'failed']
  for (const search of [
    'status=failed&status=pending',
    'status=failed,pending',
    'status=pending,failed,failed',
  ]) {
    expect((await read(search)).json.filter).toEqual({ statuses })
  }
  const all = (await read(`status=${JOB_STATUSES.join()}`)).json.filter
  expect(all).toEqual({ statuses: [...JOB_STATUSES] })
})

test('all filters may be used together', async () => {
  const search = [
    'status=in_progress&job_type=import&triggered_by=nightly&stalled=true&late=true&metadata=false&limit=7',
    'created_after=2026-01-01T00:00:00Z&created_before=2026-02-01T00:00:00Z',
    `cursor=123.${JOB_ID}&label=a:b:c&label=A:&q=Imp&sort=oldest&include=total`,
  ].join('&')
  expect((await read(search)).json).toEqual({
    filter: {
      statuses: ['in_progress'],
      jobType: 'import',
      triggeredBy: 'nightly',
      stalled: true,
      late: true,
      labels: [
        ['a', 'b:c'],
        ['A', ''],
      ],
      search: 'Imp',
      createdAfter: Date.parse('2026-01-01T00:00:00Z'),
      createdBefore: Date.parse('2026-02-01T00:00:00Z'),
    },
    limit: 7,
    metadata: false,
    sort: 'oldest',
    include: 'total',
    cursor: { createdAt: 123, jobId: JOB_ID },
  })
})

test('stalled=false does not filter', async () => {
  expect((await read('stalled=false')).json.filter).toEqual({ statuses: [] })
})

describe('A time', () => {
  test.each([
    ['2026-03-01', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T10:20', '2026-03-01T10:20:00.000Z'],
    ['2026-03-01T10:20:30', '2026-03-01T10:20:30.000Z'],
    ['2026-03-01 10:20:30', '2026-03-01T10:20:30.000Z'],
    ['2026-03-01T10:20:30.456Z', '2026-03-01T10:20:30.456Z'],
    ['2026-03-01t10:20:30z', '2026-03-01T10:20:30.000Z'],
    ['2026-03-01T10:20:30.456789+02:00', '2026-03-01T08:20:30.456Z'],
    ['2026-03-01T10:20:30-0130', '2026-03-01T11:50:30.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('may be %s', async (text, time) => {
    const { json } = await read(`created_after=${encodeURIComponent(text)}`)
    expect(json.filter).toEqual({ statuses: [], createdAfter: Date.parse(time) })
  })

  test.each([
    'yesterday',
    '',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '2026-02-29',
    '2026-01-01T25:00',
    '2026-01-01T10:61',
    '1767225600',
    '2026-01-01T00:00:00+99:00',
  ])('may not be %j', async (text) => {
    expect(await problemOf(`created_before=${encodeURIComponent(text)}`)).toEqual({
      type: 'datetime_parsing',
      loc: ['query', 'created_before'],
      msg: 'Input should be a valid datetime',
      input: text,
    })
  })
})

describe('A 422 names the problem', () => {
  test.each([
    ['0', 'greater_than_equal', { ge: 1 }],
    ['-1', 'greater_than_equal', { ge: 1 }],
    ['201', 'less_than_equal', { le: 200 }],
    ['many', 'int_parsing', undefined],
    ['1.5', 'int_parsing', undefined],
    ['', 'int_parsing', undefined],
  ])('with limit=%s', async (text, type, ctx) => {
    const problem = { type, loc: ['query', 'limit'], input: text, msg: expect.any(String) }
    expect(await problemOf(`limit=${text}`)).toEqual(ctx === undefined ? problem : { ...problem, ctx })
  })

  test.each(['1', '200'])('but there is none with limit=%s', async (text) => {
    expect((await read(`limit=${text}`)).json.limit).toBe(Number(text))
  })

  test.each(['done', 'failed,done', ''])('with status=%s', async (text) => {
    expect(await problemOf(`status=${text}`)).toMatchObject({
      type: 'enum',
      loc: ['query', 'status'],
      msg: expect.stringMatching(/^Input should be 'pending', /),
      input: text,
    })
  })

  test.each([
    '',
    'x',
    '123',
    '123.',
    `123.${'x'.repeat(129)}`,
    `123.${JOB_ID}!`,
    `123.${JOB_ID}.4`,
    `-1.${JOB_ID}`,
    `1e3.${JOB_ID}`,
  ])('with cursor=%j', async (text) => {
    expect(await problemOf(`cursor=${text}`)).toMatchObject({
      type: 'string_pattern_mismatch',
      loc: ['query', 'cursor'],
      input: text,
    })
  })

  test('with a single-value parameter given twice', async () => {
    expect(await problemOf('job_type=a&job_type=b')).toMatchObject({
      type: 'string_type',
      loc: ['query', 'job_type'],
      input: ['a', 'b'],
    })
    expect(await problemOf('limit=1&limit=2')).toMatchObject({ type: 'int_type', loc: ['query', 'limit'] })
  })

  test.each(['stalled', 'metadata'])('with %s=maybe', async (name) => {
    expect(await problemOf(`${name}=maybe`)).toMatchObject({ type: 'bool_parsing', loc: ['query', name] })
  })

  test('all at once', async () => {
    const { json } = await read('limit=0&status=done&cursor=x')
    const places = (json.detail as { loc: string[] }[]).map(({ loc }) => loc[1])
    expect(places.toSorted()).toEqual(['cursor', 'limit', 'status'])
  })
})
