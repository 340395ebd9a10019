import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

// biome-ignore lint/suspicious/noExplicitAny: tests say what they expect in it
type Body = any

async function aWorker() {
  const org = freshOrganization()
  const { key } = await issueKey(edge, { org })
  const { body } = await call(edge, key, 'POST', '/api/jobs/', { job_type: 'import', total_items: 1_000 })
  const path = `/api/jobs/${body.job_id}`
  return {
    org,
    key,
    path,
    report: async (report: object) => {
      const reply = await call(edge, key, 'POST', `${path}/progress`, report)
      expect(reply).toMatchObject({ status: 200 })
      return reply
    },
    get: (suffix: string, headers?: Record<string, string>) =>
      call(edge, key, 'GET', `${path}${suffix}`, undefined, headers),
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
  test('may carry many entries: the single one first, then the others, in order', async () => {
    const { report, get } = await aWorker()
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

  test('carries 500 of each at most: else 422, and none is kept', async () => {
    const { key, path, report, get } = await aWorker()
    expect((await report({ errors: entries(0, 500), warnings: entries(0, 500) })).body).toMatchObject({
      error_count: 500,
      warning_count: 500,
    })
    for (const kind of ['errors', 'warnings'] as const) {
      const sent = { stage: 'late', errors: entries(0, 1), warnings: entries(0, 1), [kind]: entries(0, 501) }
      const { status, body } = await call(edge, key, 'POST', `${path}/progress`, sent)
      expect({ status, detail: body.detail }).toMatchObject({
        status: 422,
        detail: [{ type: 'too_long', loc: ['body', kind], ctx: { max_length: 500, actual_length: 501 } }],
      })
    }
    expect((await get('')).body).toMatchObject({ error_count: 500, warning_count: 500, metadata: {} })
  })

  test('with one wrong entry among many is refused whole, and says which', async () => {
    const { key, path, get } = await aWorker()
    const sent = {
      processed_items: 9,
      errors: [...entries(0, 3), { entity_key: 'sku-3', error_type: 'no_price' }],
    }
    const { status, body } = await call(edge, key, 'POST', `${path}/progress`, sent)
    expect({ status, detail: body.detail }).toMatchObject({
      status: 422,
      detail: [{ type: 'missing', loc: ['body', 'errors', 3, 'message'] }],
    })
    expect((await get('')).body).toMatchObject({ processed_items: 0, error_count: 0 })
  })
})

describe('All entries of a job', () => {
  test('come in pages, oldest first, and as a stream of lines that says the same', async () => {
    const { report, get } = await aWorker()
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

  test('are streamed also where they are more than a page holds, from a cursor on as well', async () => {
    const { report, get } = await aWorker()
    for (let n = 0; n < 5; n++) await report({ errors: entries(n * 500, (n + 1) * 500) })
    const accept = { Accept: 'application/x-ndjson' }
    expect(keysOf(lines((await get('/errors', accept)).text))).toEqual(keys(0, 2_500))
    const { body } = await get('/errors?limit=700')
    const rest = await get(`/errors?cursor=${body.next_cursor}&limit=1`, accept)
    expect(keysOf(lines(rest.text))).toEqual(keys(700, 2_500))
  })

  test('of a cursor once given stay the same while more are reported', async () => {
    const { report, get } = await aWorker()
    await report({ errors: entries(0, 10) })
    const { body } = await get('/errors?limit=4')
    await report({ errors: entries(10, 13) })
    const next = await get(`/errors?limit=100&cursor=${body.next_cursor}`)
    expect(keysOf(next.body.errors)).toEqual(keys(4, 13))
    expect(next.body.next_cursor).toBeNull()
  })

  test('are JSON where a caller prefers that, or says nothing', async () => {
    const { report, get } = await aWorker()
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

  test('of none are an empty page, and an empty stream', async () => {
    const { get } = await aWorker()
    expect((await get('/errors')).body).toEqual({ errors: [], next_cursor: null })
    expect(await get('/warnings', { Accept: 'application/x-ndjson' })).toMatchObject({
      status: 200,
      text: '',
    })
  })

  test.each([
    ['limit=0', { type: 'greater_than_equal', loc: ['query', 'limit'], ctx: { ge: 1 } }],
    ['limit=1001', { type: 'less_than_equal', loc: ['query', 'limit'], ctx: { le: 1_000 } }],
    ['limit=x', { type: 'int_parsing', loc: ['query', 'limit'], input: 'x' }],
    ['cursor=x', { type: 'string_pattern_mismatch', loc: ['query', 'cursor'], input: 'x' }],
    ['cursor=-1', { type: 'string_pattern_mismatch', loc: ['query', 'cursor'], input: '-1' }],
    [`error_type=${'x'.repeat(4_097)}`, { type: 'string_too_long', loc: ['query', 'error_type'] }],
  ])('asked for by %s are a 422', async (search, problem) => {
    const { get } = await aWorker()
    for (const kind of ['errors', 'warnings']) {
      const { status, body } = await get(`/${kind}?${search}`)
      expect({ status, detail: body.detail }).toMatchObject({ status: 422, detail: [problem] })
    }
  })
})

describe('The entries of one type', () => {
  test('can be asked for, in pages and as a stream', async () => {
    const { report, get } = await aWorker()
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

  test('are streamed whole also where they are rare among many others', async () => {
    const { report, get } = await aWorker()
    for (let n = 0; n < 80; n++) await report({ errors: entries(n * 500, (n + 1) * 500) })
    await report({ errors: entries(40_000, 40_003, 'rare') })
    const streamed = await get('/errors?error_type=rare', { Accept: 'application/x-ndjson' })
    expect(keysOf(lines(streamed.text))).toEqual(keys(40_000, 40_003))
  }, 60_000)

  test('are counted, the most frequent first', async () => {
    const { report, get } = await aWorker()
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
    expect(body).toEqual({
      errors: [
        { error_type: 'no_price', count: 8 },
        { error_type: 'no_image', count: 7 },
      ],
      other_errors: 0,
      warnings: [{ error_type: 'late', count: 2 }],
      other_warnings: 0,
    })
  })
})

describe('A Link header', () => {
  test('leads to the entries that a job does not hold, and is there only then', async () => {
    const { path, report, get } = await aWorker()
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

test('entries are for those who may read', async () => {
  const { org, path } = await aWorker()
  const { key } = await issueKey(edge, { org, permissions: ['job:create', 'job:cancel'] })
  for (const suffix of ['/errors', '/warnings', '/entry-groups']) {
    expect((await call(edge, key, 'GET', `${path}${suffix}`)).status).toBe(403)
    expect((await call(edge, null, 'GET', `${path}${suffix}`)).status).toBe(401)
  }
})
