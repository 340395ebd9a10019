import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { PERMISSIONS } from '../../src/access/caller.ts'
import { checkReply } from './check-reply.ts'
import { type Asking, apiCases, ask as askEndpoint, type Case, casesAbout } from './endpoint-cases.ts'
import { aCaller, aGuardedJob, UNKNOWN_ID } from './fixtures.ts'
import { type Reply, startEdge } from './harness.ts'

const MIB = 1024 * 1024

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

const ask = (each: Case, asking: Asking) => askEndpoint(edge, each, asking)

/** Expects that a call about an existing job changes nothing. */
async function refused(
  each: Case,
  makeCall: (job: { jobId: string; key: string }) => Promise<Reply>,
): Promise<Reply> {
  const job = await aGuardedJob(edge, each)
  const before = await job.look()
  const reply = await makeCall(job)
  expect(await job.look()).toEqual(before)
  return reply
}

/** A 422 with one problem. */
const invalid = (problem: object) => ({ status: 422, body: { detail: [problem] } })
const NOT_FOUND = { status: 404, body: { detail: 'Job not found' } }

/** Query parameters that no list accepts. */
const BAD_QUERIES = {
  limit: [
    ['0', { type: 'greater_than_equal', input: '0', ctx: { ge: 1 } }],
    ['1000000', { type: 'less_than_equal', input: '1000000' }],
    ['x', { type: 'int_parsing', input: 'x' }],
  ],
  cursor: [['x', { type: 'string_pattern_mismatch', input: 'x' }]],
  messages: [['maybe', { type: 'bool_parsing', input: 'maybe' }]],
  since: [['yesterday', { type: 'datetime_parsing', input: 'yesterday' }]],
} satisfies Record<string, [string, object][]>

const BAD_KEYS: [string, string, object][] = [
  ['empty', '', { type: 'string_too_short', ctx: { min_length: 1 } }],
  ['longer than 255 characters', 'x'.repeat(256), { type: 'string_too_long', ctx: { max_length: 255 } }],
  ['not ASCII', 'row-\xe4', { type: 'string_pattern_mismatch', ctx: { pattern: '^[ -~]{1,255}$' } }],
]

/** Everything that can be wrong with a request to an endpoint, before its job is looked for. */
function faultsOf({ body, query, isIdempotent }: Case): [string, Asking][] {
  const faults: [string, Asking][] = []
  if (body) faults.push(['a malformed body', { body: '{' }], ['a body that is not an object', { body: '[]' }])
  if (query.includes('limit')) faults.push(['an invalid query', { search: '?limit=x' }])
  if (isIdempotent) faults.push(['an empty Idempotency-Key', { headers: { 'Idempotency-Key': '' } }])
  return faults
}

describe.each(apiCases.filter(({ body }) => body !== undefined))('$name', (each) => {
  const sent = JSON.stringify(each.body)
  const withPad = (pad: string) => `${sent.slice(0, -1)},"pad":${pad}}`

  test.each([
    ['half an object', sent.slice(0, -1)],
    ['NaN', withPad('NaN')],
    ['nesting of thousands', withPad('['.repeat(5_000) + ']'.repeat(5_000))],
  ])('refuses malformed JSON with 422: %s', async (_, body) => {
    const reply = await refused(each, ({ jobId: id, key }) => ask(each, { id, key, body }))
    expect(reply).toMatchObject(invalid({ type: 'json_invalid', loc: ['body', expect.any(Number)] }))
  })

  test.each(['[]', '"text"', '5', 'true'])(
    'refuses JSON that is not an object with 422: %s',
    async (body) => {
      const reply = await refused(each, ({ jobId: id, key }) => ask(each, { id, key, body }))
      expect(reply).toMatchObject(invalid({ type: 'model_attributes_type', loc: ['body'] }))
    },
  )

  test.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'refuses the content type %s with 422',
    async (type) => {
      const body = new TextEncoder().encode(sent)
      const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type }
      const reply = await refused(each, ({ jobId: id, key }) => ask(each, { id, key, body, headers }))
      expect(reply).toMatchObject(invalid({ type: 'model_attributes_type', loc: ['body'], input: sent }))
    },
  )

  test('refuses null with 422', async () => {
    const reply = await refused(each, ({ jobId: id, key }) => ask(each, { id, key, body: 'null' }))
    expect(reply).toMatchObject(invalid({ type: 'missing', loc: ['body'], input: null }))
  })

  test.each([undefined, ''])(
    each.isBodyOptional ? 'takes a request without a body' : 'refuses a request without a body with 422',
    async (body) => {
      const makeCall = ({ jobId: id, key }: { jobId: string; key: string }) => ask(each, { id, key, body })
      if (each.isBodyOptional) expect((await makeCall(await aGuardedJob(edge, each))).status).toBe(200)
      else expect(await refused(each, makeCall)).toMatchObject(invalid({ type: 'missing', loc: ['body'] }))
    },
  )

  test('refuses invalid UTF-8 with 400', async () => {
    const bytes = new TextEncoder().encode(withPad('"??"')).map((byte) => (byte === 0x3f ? 0xff : byte))
    const headers = { 'Content-Type': 'application/json' }
    const reply = await refused(each, ({ jobId: id, key }) => ask(each, { id, key, body: bytes, headers }))
    expect(reply).toMatchObject({ status: 400, body: { detail: 'There was an error parsing the body' } })
  })

  describe('refuses a body over 1 MB with 413', () => {
    const TOO_LARGE = { status: 413, body: { detail: `The body is larger than ${MIB} bytes` } }

    test('before reading it, if its length is announced', async () => {
      const headers = { 'Content-Length': MIB + 1 }
      expect(await refused(each, (job) => sendRaw(each, job, headers, []))).toMatchObject(TOO_LARGE)
    })

    test('while reading it, if it comes in chunks', async () => {
      const headers = { 'Transfer-Encoding': 'chunked' }
      const chunks = [`${sent.slice(0, -1)},"pad":"`, ...Array(17).fill('x'.repeat(64 * 1024)), '"}']
      expect(await refused(each, (job) => sendRaw(each, job, headers, chunks))).toMatchObject(TOO_LARGE)
    })
  })

  test('takes a body of exactly 1 MB', async () => {
    const body = withPad(`"${'x'.repeat(MIB - withPad('""').length)}"`)
    expect(body).toHaveLength(MIB)
    const { jobId: id, key } = await aGuardedJob(edge, each)
    expect((await ask(each, { id, key, body })).status).toBe(200)
  })
})

describe.each(apiCases.filter(({ query }) => query.length > 0))('$name', (each) => {
  const queries = Object.entries(BAD_QUERIES)
    .filter(([name]) => each.query.includes(name))
    .flatMap(([name, values]) =>
      values.map(([value, problem]) => [`${name}=${value}`, { ...problem, loc: ['query', name] }] as const),
    )

  test.each(queries)('refuses the query %s with 422', async (search, problem) => {
    const { jobId: id, key } = await aGuardedJob(edge, each)
    expect(await ask(each, { id, key, search: `?${search}` })).toMatchObject(invalid(problem))
  })
})

describe.each(apiCases.filter(({ isIdempotent }) => isIdempotent))('$name', (each) => {
  test.each(BAD_KEYS)('refuses an Idempotency-Key that is %s with 422', async (_, sent, problem) => {
    const headers = { 'Idempotency-Key': sent }
    const reply = await refused(each, ({ jobId: id, key }) => ask(each, { id, key, headers }))
    expect(reply).toMatchObject(invalid({ ...problem, loc: ['header', 'Idempotency-Key'] }))
  })

  test('takes an Idempotency-Key of 255 characters', async () => {
    const { jobId: id, key } = await aGuardedJob(edge, each)
    expect((await ask(each, { id, key, headers: { 'Idempotency-Key': 'x'.repeat(255) } })).status).toBe(200)
  })
})

describe.each(apiCases.filter(({ permission }) => permission !== null))('$name', (each) => {
  const faults = [...faultsOf(each), ['an unknown job', {}]] as [string, Asking][]
  if (each.body) faults.push(['a body over 1 MB', { body: 'x'.repeat(2 * MIB) }])

  test.each(faults)('checks the credential and the permission first: %s', async (_, fault) => {
    expect((await ask(each, fault)).status).toBe(401)
    const permissions = PERMISSIONS.filter((permission) => permission !== each.permission)
    const { key } = await aCaller(edge, { permissions })
    expect(await ask(each, { ...fault, key })).toMatchObject({
      status: 403,
      body: { detail: `Missing required permission: ${each.permission}` },
    })
  })
})

describe.each(casesAbout('job'))('$name', (each) => {
  test.each(faultsOf(each))('refuses %s before it looks for the job', async (_, fault) => {
    const { key } = await aCaller(edge)
    for (const id of [UNKNOWN_ID, 'nonsense'])
      expect((await ask(each, { ...fault, id, key })).status).toBe(422)
  })

  test('replies 404 for a job that does not exist, whatever its ID looks like', async () => {
    const { key } = await aCaller(edge)
    for (const [name, id] of Object.entries(UNKNOWN_IDS)) {
      const { status, body } = await ask(each, { id, key })
      expect({ name, status, body }).toEqual({ name, ...NOT_FOUND })
    }
  })
})

const UNKNOWN_IDS = {
  'never given': UNKNOWN_ID,
  'in capitals': UNKNOWN_ID.replace('job', 'JOB'),
  'a bare UUID': '01a20c24-941b-765d-a1f9-912458cbd4df',
  'a word': 'nonsense',
  'the name of a property': '__proto__',
  'an encoded slash': 'a%2Fb',
  'an encoded zero': '%00',
  'an invalid encoding': '%ff%fe%',
  'in Greek': encodeURIComponent('δουλειά'),
  'from another system': 'IMPORT-2024_07',
  'as long as may be': 'x'.repeat(128),
  'one character too long': 'x'.repeat(129),
  'far too long': 'x'.repeat(4_000),
  'with a dot': 'import.2024',
}

describe.each(apiCases)('$name', (each) => {
  test('gets the same reply with and without a trailing slash', async () => {
    const { jobId: id, key } = await aGuardedJob(edge, each)
    const replies = [await ask(each, { id, key, slash: '' }), await ask(each, { id, key, slash: '/' })]
    expect(replies.map(({ status }) => status)).toEqual([200, 200])
    const [without, behind] = replies
    if (each.method === 'GET') expect(behind?.text).toBe(without?.text)
  })
})

describe.each(apiCases.filter(({ method }) => method === 'GET'))('$name', (each) => {
  test('answers HEAD like GET, without a body', async () => {
    const { jobId: id, key } = await aGuardedJob(edge, each)
    const [got, head] = [await ask(each, { id, key }), await ask(each, { id, key, method: 'HEAD' })]
    expect(head).toMatchObject({ status: 200, text: '' })
    for (const name of ['Content-Type', 'ETag', 'Cache-Control'])
      expect(head.headers.get(name), name).toBe(got.headers.get(name))
  })
})

describe.each([...new Set(apiCases.map(({ path }) => path))])('%s', (path) => {
  const atPath = apiCases.filter((each) => each.path === path)
  const allowed = atPath.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  const others = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(
    (method) => !allowed.includes(method),
  )

  test(`refuses ${others.join(', ')} with 405, and Allow lists the methods it has`, async () => {
    const [each] = atPath as [Case]
    for (const method of others) {
      for (const slash of ['', '/'] as const) {
        const { status, headers, body } = await ask(each, { method, slash, body: undefined })
        const listed = headers.get('Allow')?.split(', ').toSorted()
        expect({ method, slash, status, listed }).toEqual({
          method,
          slash,
          status: 405,
          listed: allowed.toSorted(),
        })
        if (method !== 'HEAD') expect(body).toEqual({ detail: 'Method Not Allowed' })
      }
    }
  })
})

test('an unknown path is 404', async () => {
  const { get } = await aCaller(edge)
  for (const path of [
    '/nowhere',
    '/api',
    '/api/job',
    `/api/jobs/${UNKNOWN_ID}/nothing`,
    '/api/jobs//progress',
  ]) {
    const { status, body } = await get(path)
    expect({ path, status, body }).toEqual({ path, status: 404, body: { detail: 'Not Found' } })
  }
})

/** POSTs chunks as they are. Without chunks, the request stays open, as if its body were still to come. */
function sendRaw(
  each: Case,
  { jobId, key }: { jobId: string; key: string },
  headers: Record<string, string | number>,
  chunks: string[],
): Promise<Reply> {
  const path = each.path.replace('{job_id}', jobId)
  return new Promise((resolve, reject) => {
    const sending = request(
      edge.url + path,
      {
        method: each.method,
        headers: { ...headers, Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      },
      async (response) => {
        let text = ''
        for await (const part of response.setEncoding('utf8')) text += part
        sending.destroy()
        const status = response.statusCode ?? 0
        checkReply(each.method, path, { status, contentType: response.headers['content-type'] ?? null, text })
        resolve({ status, headers: new Headers(), text, body: JSON.parse(text) })
      },
    )
    sending.on('error', reject)
    sending.flushHeaders()
    for (const chunk of chunks) sending.write(chunk)
    if (chunks.length > 0) sending.end()
  })
}
