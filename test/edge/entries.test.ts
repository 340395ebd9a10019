import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aWorker, type Body } from './fixtures.ts'
import { call, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** A worker whose `get` takes the path below its job. */
async function anEntryWorker() {
  const worker = await aWorker(edge, { total_items: 1_000 })
  return {
    ...worker,
    get: (below: string, headers?: Record<string, string>) => worker.get(worker.path + below, headers),
  }
}

/** Entries with the keys `from`, …, `to` - 1. */
function entries(from: number, to: number, error_type = 'no_price') {
  return Array.from({ length: to - from }, (_, n) => ({
    entity_key: `sku-${from + n}`,
    entity_type: 'product',
    error_type,
    message: `No price for ${from + n} – größer`,
  }))
}

const keysOf = (found: Body[]): string[] => found.map(({ entity_key }) => entity_key)
const keys = (from: number, to: number) => keysOf(entries(from, to))
const lines = (text: string): Body[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

/** All pages of a list, from its first. */
async function walk(
  get: (suffix: string) => Promise<Body>,
  kind: 'errors' | 'warnings',
  search: string,
): Promise<Body[][]> {
  const pages: Body[][] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, body }: Body = await get(`/${kind}?${search}${cursor && `&cursor=${cursor}`}`)
    expect(status).toBe(200)
    pages.push(body[kind])
    cursor = body.next_cursor
  }
  return pages
}

describe('One report', () => {
  test('may carry many entries: the single one counts first, then the lists, in order', async () => {
    const { report, get } = await anEntryWorker()
    const [error, ...errors] = entries(0, 20)
    const [warning, ...warnings] = entries(50, 60, 'no_image')
    const { body } = await report({ error, errors, warning, warnings })
    expect(keysOf(body.errors)).toEqual(keys(0, 20))
    expect(keysOf(body.warnings)).toEqual(keys(50, 60))
    expect(body).toMatchObject({ error_count: 20, warning_count: 10, failed_items: 20, warned_items: 10 })
    expect((await get('/errors')).body.errors).toEqual(body.errors)
    expect((await get('/warnings')).body).toEqual({ warnings: body.warnings, next_cursor: null })
    const [first] = body.errors
    expect(first).toEqual({ ...error, step: null, details: null, timestamp: expect.any(String) })
  })

  test('with more than 500 errors or warnings is refused with 422, and none is kept', async () => {
    const { report, get } = await anEntryWorker()
    expect((await report({ errors: entries(0, 500), warnings: entries(0, 500) })).body).toMatchObject({
      error_count: 500,
      warning_count: 500,
    })
    for (const kind of ['errors', 'warnings'] as const) {
      const sent = { stage: 'late', errors: entries(0, 1), warnings: entries(0, 1), [kind]: entries(0, 501) }
      const { status, body } = await report(sent)
      expect({ status, detail: body.detail }).toMatchObject({
        status: 422,
        detail: [{ type: 'too_long', loc: ['body', kind], ctx: { max_length: 500, actual_length: 501 } }],
      })
    }
    expect((await get('')).body).toMatchObject({ error_count: 500, warning_count: 500, metadata: {} })
  })

  test('with one invalid entry is refused as a whole, and the reply names the entry', async () => {
    const { report, get } = await anEntryWorker()
    const sent = {
      processed_items: 9,
      errors: [...entries(0, 3), { entity_key: 'sku-3', error_type: 'no_price' }],
    }
    const { status, body } = await report(sent)
    expect({ status, detail: body.detail }).toMatchObject({
      status: 422,
      detail: [{ type: 'missing', loc: ['body', 'errors', 3, 'message'] }],
    })
    expect((await get('')).body).toMatchObject({ processed_items: 0, error_count: 0 })
  })
})

describe('All entries of a job', () => {
  test('come in pages, oldest first; a stream of lines has the same entries', async () => {
    const { report, get } = await anEntryWorker()
    await report({ errors: entries(0, 400), warnings: entries(0, 7) })
    await report({ errors: entries(400, 800) })
    for (const [limit, pages] of [
      [1_000, 1],
      [800, 1],
      [300, 3],
    ]) {
      const found = await walk(get, 'errors', `limit=${limit}`)
      expect(found).toHaveLength(pages as number)
      expect(keysOf(found.flat())).toEqual(keys(0, 800))
    }
    const pages = await walk(get, 'errors', '')
    expect(pages.map((page) => page.length)).toEqual(Array(8).fill(100))

    const streamed = await get('/errors', { Accept: 'application/x-ndjson' })
    expect(streamed.headers.get('Content-Type')).toBe('application/x-ndjson')
    expect(lines(streamed.text)).toEqual(pages.flat())
    expect(keysOf(lines((await get('/warnings', { Accept: 'application/x-ndjson' })).text))).toEqual(
      keys(0, 7),
    )
  })

  test('are all streamed, however many pages they fill, from the start or from a cursor', async () => {
    const { report, get } = await anEntryWorker()
    for (let n = 0; n < 5; n++) await report({ errors: entries(n * 500, (n + 1) * 500) })
    const accept = { Accept: 'application/x-ndjson' }
    expect(keysOf(lines((await get('/errors', accept)).text))).toEqual(keys(0, 2_500))
    const { body } = await get('/errors?limit=700')
    const rest = await get(`/errors?cursor=${body.next_cursor}&limit=1`, accept)
    expect(keysOf(lines(rest.text))).toEqual(keys(700, 2_500))
  })

  test('are a CSV file, while the job runs too: all of them, or those of a type', async () => {
    const { report, get, jobId } = await anEntryWorker()
    const details = { price: '=1+1', sizes: ['S', 'M'] }
    await report({ mark_started: true, errors: [{ ...entries(0, 1)[0], details }, ...entries(1, 500)] })
    for (let n = 1; n < 3; n++) await report({ errors: entries(n * 500, (n + 1) * 500) })
    await report({ error: { ...entries(0, 1, 'late')[0], details: { later: 1 } } })
    const { headers, text } = await get('/errors', { Accept: 'text/csv' })
    expect(headers.get('Content-Type')).toBe('text/csv; charset=utf-8')
    expect(headers.get('Content-Disposition')).toBe(`attachment; filename="${jobId}-errors.csv"`)
    const rows: Record<string, string>[] = parse(text, { bom: true, columns: true })
    expect(rows.map(({ entity_key }) => entity_key)).toEqual([...keys(0, 1_500), 'sku-0'])
    expect(rows[0]).toMatchObject({
      message: 'No price for 0 – größer',
      'details.price': "'=1+1",
      'details.sizes': '["S","M"]',
      other_details: '',
    })
    expect(rows.at(-1)).toMatchObject({ 'details.price': '', other_details: '{"later":1}' })

    // The page with the only one of this type comes after two without any.
    const late = await get('/errors?error_type=late', { Accept: 'text/csv' })
    expect(late.text.split('\r\n')).toEqual([
      'timestamp,entity_type,entity_key,error_type,message,step,details.later,other_details',
      expect.stringMatching(/^\d{4}-.*Z,product,sku-0,late,No price for 0 – größer,,1,$/),
      '',
    ])
    const none = await get('/warnings', { Accept: 'text/csv' })
    expect(none.text).toBe('timestamp,entity_type,entity_key,error_type,message,step,other_details\r\n')
    const lined = await get('/errors', { Accept: 'application/x-ndjson' })
    expect(lined.headers.get('Content-Disposition')).toBe(`attachment; filename="${jobId}-errors.ndjson"`)
  })

  test('continue at a cursor even if more were reported since', async () => {
    const { report, get } = await anEntryWorker()
    await report({ errors: entries(0, 10) })
    const { body } = await get('/errors?limit=4')
    await report({ errors: entries(10, 13) })
    const next = await get(`/errors?limit=100&cursor=${body.next_cursor}`)
    expect(keysOf(next.body.errors)).toEqual(keys(4, 13))
    expect(next.body.next_cursor).toBeNull()
  })

  test('are JSON unless the Accept header prefers NDJSON', async () => {
    const { report, get } = await anEntryWorker()
    await report({ errors: entries(0, 2) })
    for (const accept of [
      '*/*',
      'application/json',
      'application/*',
      'application/json, application/x-ndjson;q=0.5',
      'text/html',
      '',
    ]) {
      const { headers } = await get('/errors', { Accept: accept })
      expect({ accept, type: headers.get('Content-Type') }).toEqual({ accept, type: 'application/json' })
    }
    const lined = await get('/errors', { Accept: 'application/json;q=0.5, application/x-ndjson' })
    expect(lined.headers.get('Content-Type')).toBe('application/x-ndjson')
  })

  test('are an empty page or an empty stream if there are none', async () => {
    const { get } = await anEntryWorker()
    expect((await get('/errors')).body).toEqual({ errors: [], next_cursor: null })
    expect(await get('/warnings', { Accept: 'application/x-ndjson' })).toMatchObject({
      status: 200,
      text: '',
    })
  })

  test.each([
    ['limit=1001', { type: 'less_than_equal', loc: ['query', 'limit'], ctx: { le: 1_000 } }],
    ['cursor=-1', { type: 'string_pattern_mismatch', loc: ['query', 'cursor'], input: '-1' }],
    [`error_type=${'x'.repeat(4_097)}`, { type: 'string_too_long', loc: ['query', 'error_type'] }],
  ])('are refused with 422 for the query %s', async (search, problem) => {
    const { get } = await anEntryWorker()
    for (const kind of ['errors', 'warnings']) {
      const { status, body } = await get(`/${kind}?${search}`)
      expect({ status, detail: body.detail }).toMatchObject({ status: 422, detail: [problem] })
    }
  })
})

describe('The entries of one type', () => {
  test('are listed in pages and as a stream', async () => {
    const { report, get } = await anEntryWorker()
    await report({
      errors: [...entries(0, 30), ...entries(30, 40, 'no image & more')],
      warnings: entries(0, 5),
    })
    await report({ errors: [...entries(40, 60), ...entries(60, 65, 'no image & more')] })
    const search = `error_type=${encodeURIComponent('no image & more')}`
    const wanted = [...keys(30, 40), ...keys(60, 65)]
    expect(keysOf((await walk(get, 'errors', `${search}&limit=4`)).flat())).toEqual(wanted)
    const streamed = await get(`/errors?${search}`, { Accept: 'application/x-ndjson' })
    expect(keysOf(lines(streamed.text))).toEqual(wanted)
    expect((await get(`/warnings?${search}`)).body).toEqual({ warnings: [], next_cursor: null })
  })

  test('are all streamed, even a few among 40,000 others', async () => {
    const { report, get } = await anEntryWorker()
    for (let n = 0; n < 80; n++) await report({ errors: entries(n * 500, (n + 1) * 500) })
    await report({ errors: entries(40_000, 40_003, 'rare') })
    const streamed = await get('/errors?error_type=rare', { Accept: 'application/x-ndjson' })
    expect(keysOf(lines(streamed.text))).toEqual(keys(40_000, 40_003))
  }, 60_000)

  test('are counted, the most frequent type first', async () => {
    const { report, get } = await anEntryWorker()
    expect((await get('/entry-groups')).body).toEqual({
      errors: [],
      other_errors: 0,
      warnings: [],
      other_warnings: 0,
    })
    await report({
      errors: [...entries(0, 3), ...entries(3, 10, 'no_image')],
      warnings: entries(0, 2, 'late'),
    })
    await report({ errors: entries(10, 15) })
    const { status, body } = await get('/entry-groups')
    expect(status).toBe(200)
    const [last] = entries(14, 15)
    const { body: listed } = await get('/errors')
    expect(body).toEqual({
      errors: [
        {
          error_type: 'no_price',
          count: 8,
          first_seen: listed.errors[0].timestamp,
          last_seen: listed.errors[14].timestamp,
          sample: { entity_type: 'product', entity_key: last?.entity_key, message: last?.message },
        },
        expect.objectContaining({ error_type: 'no_image', count: 7, first_seen: listed.errors[3].timestamp }),
      ],
      other_errors: 0,
      warnings: [expect.objectContaining({ error_type: 'late', count: 2 })],
      other_warnings: 0,
    })
  })
})

describe('The entries about an entity', () => {
  test('are those of all jobs of the organization, whatever characters its key has', async () => {
    const { report, post, get: _, ...worker } = await anEntryWorker()
    const entity_key = 'a/b ?#%41&"é👍\n'
    await report({ errors: [...entries(0, 3), { ...entries(0, 1)[0], entity_key }] })
    const { body: other } = await post('/api/jobs/', { job_type: 'crawl', total_items: 1 })
    const warning = { ...entries(0, 1, 'no_image')[0], entity_key }
    await post(`/api/jobs/${other.job_id}/progress`, { warning, mark_completed: true })
    const stranger = await aWorker(edge)
    await stranger.reported({ error: warning, mark_completed: true })

    const about = (key: string, search = '') =>
      call(edge, worker.key, 'GET', `/api/entities/product/${encodeURIComponent(key)}${search}`)
    // D1 may be a second behind.
    await vi.waitFor(async () => expect((await about(entity_key)).body.entries).toHaveLength(2), 5_000)
    const { body: first } = await about(entity_key, '?limit=1')
    expect(first.entries).toMatchObject([
      { kind: 'warning', job_id: other.job_id, job_type: 'crawl', error_type: 'no_image', entity_key },
    ])
    const { body: second } = await about(entity_key, `?cursor=${encodeURIComponent(first.next_cursor)}`)
    expect(second).toMatchObject({
      entries: [{ kind: 'error', job_id: worker.jobId, error_type: 'no_price', entity_key }],
      next_cursor: null,
    })
    expect((await about('nothing')).body).toEqual({ entries: [], next_cursor: null })
  })

  test('are refused with 422 for a key or a cursor that cannot be read', async () => {
    const { key } = await anEntryWorker()
    for (const [path, loc] of [
      ['/api/entities/product/%ff', ['path', 'entity_key']],
      ['/api/entities/%e2%82/sku-1', ['path', 'entity_type']],
      ['/api/entities/product/sku-1?cursor=x', ['query', 'cursor']],
      ['/api/entities/product/sku-1?limit=201', ['query', 'limit']],
    ] as const) {
      const { status, body } = await call(edge, key, 'GET', path)
      expect({ path, status, loc: body.detail[0].loc }).toEqual({ path, status: 422, loc })
    }
    expect((await call(edge, key, 'GET', '/api/entities/product')).status).toBe(404)
  })
})

describe('Error types across jobs', () => {
  test('are counted once their jobs have finished', async () => {
    const { post, get: _, jobId, key } = await anEntryWorker()
    const { body: other } = await post('/api/jobs/', { job_type: 'crawl', total_items: 1 })
    const report = (id: string, body: object) => post(`/api/jobs/${id}/progress`, body)
    await report(jobId, { errors: entries(0, 3), mark_completed: true })
    await report(other.job_id, { error: entries(0, 1)[0], warning: entries(0, 1, 'late')[0] })
    const groups = (search = '') => call(edge, key, 'GET', `/api/error-groups${search}`)
    const before = { previous_entries: 0, previous_jobs: 0 }
    expect((await groups()).body).toMatchObject({
      errors: [{ error_type: 'no_price', entries: 3, jobs: 1, ...before }],
      warnings: [],
    })
    await report(other.job_id, { mark_failed: 'No' })
    const { body } = await groups(`?since=${new Date(Date.now() - 1_000).toISOString()}`)
    expect(body).toMatchObject({
      errors: [{ error_type: 'no_price', entries: 4, jobs: 2, ...before }],
      other_errors: 0,
      warnings: [{ error_type: 'late', entries: 1, jobs: 1, ...before }],
      is_partial: false,
    })
    const length = Date.parse(body.until) - Date.parse(body.since)
    expect(Date.parse(body.since) - Date.parse(body.previous_since)).toBe(length)
    const later = await groups(
      `?since=${body.until}&until=${new Date(Date.parse(body.until) + length).toISOString()}`,
    )
    expect(later.body.errors).toEqual([
      { error_type: 'no_price', entries: 0, jobs: 0, previous_entries: 4, previous_jobs: 2 },
    ])
  })

  test.each([
    'since=yesterday',
    'since=2026-01-02&until=2026-01-02',
    'since=2026-01-01&until=2026-02-01T01:00',
  ])('are refused with 422 for the period %s', async (search) => {
    const { key } = await anEntryWorker()
    const { status, body } = await call(edge, key, 'GET', `/api/error-groups?${search}`)
    expect({ status, loc: body.detail[0].loc }).toEqual({ status: 422, loc: ['query', 'since'] })
  })
})

describe('A Link header', () => {
  test('leads to the full lists, and only when the job does not show all entries', async () => {
    const { path, report, get } = await anEntryWorker()
    const linkOf = async () => (await get('')).headers.get('Link')
    expect(
      (await report({ errors: entries(0, 100), warnings: entries(0, 100) })).headers.get('Link'),
    ).toBeNull()
    expect(await linkOf()).toBeNull()
    await report({ warnings: entries(100, 101) })
    expect(await linkOf()).toBe(`<${path}/warnings>; rel="warnings"`)
    const { headers, body } = await report({ errors: entries(100, 250) })
    const both = `<${path}/errors>; rel="errors", <${path}/warnings>; rel="warnings"`
    expect(headers.get('Link')).toBe(both)
    expect(await linkOf()).toBe(both)
    expect(keysOf(body.errors)).toEqual(keys(150, 250))
    expect(keysOf((await get('/errors?limit=1000')).body.errors)).toEqual(keys(0, 250))
  })
})
