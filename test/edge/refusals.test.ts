import { request } from 'node:http'
import { drizzle } from 'drizzle-orm/d1'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { newServerApiKey } from '../../src/access/server-api-key.ts'
import { revokeApiKey } from '../../src/store/api-keys.ts'
import { call, freshOrganization, issueKey, type Reply, startEdge } from './harness.ts'

const NEW_JOB = { job_type: 'import', total_items: 10, metadata: { seed: 1 } }
const UNKNOWN_ID = `job_${'0'.repeat(32)}`
const MIB = 1024 * 1024

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** A job of an organisation of its own, with something in it already. */
async function aJob(metadata: object = NEW_JOB.metadata) {
  const org = freshOrganization()
  const { key } = await issueKey(edge, { org })
  const created = await call(edge, key, 'POST', '/api/jobs/', { ...NEW_JOB, metadata })
  const path = `/api/jobs/${created.body.job_id}`
  const error = { entity_key: 'sku-1', entity_type: 'product', error_type: 'no_price', message: 'No price' }
  const { status } = await call(edge, key, 'POST', `${path}/progress`, { processed_items: 2, error })
  expect(status).toBe(200)
  return { org, key, path }
}

/** Makes a call about a job that has to be refused, and asserts that the job is the same before and after. */
async function refused(job: { key: string; path: string }, makeCall: () => Promise<Reply>): Promise<Reply> {
  const before = await call(edge, job.key, 'GET', job.path)
  const reply = await makeCall()
  const after = await call(edge, job.key, 'GET', job.path)
  expect(before.status).toBe(200)
  expect(after.text).toBe(before.text)
  return reply
}

/** The same for a report; its reply's problems without what was sent, which may be long. */
async function problemsOf(job: { key: string; path: string }, report: object) {
  const { status, body } = await refused(job, () =>
    call(edge, job.key, 'POST', `${job.path}/progress`, report),
  )
  expect(status).toBe(422)
  return body.detail.map(({ input: _, ...problem }: { input: unknown }) => problem)
}

/** The status that a report is answered with. */
async function statusOf(job: { key: string; path: string }, report: object): Promise<number> {
  return (await call(edge, job.key, 'POST', `${job.path}/progress`, report)).status
}

/** All endpoints that need a credential, about one job. */
function endpoints(path: string): { method: string; path: string; body?: object }[] {
  return [
    { method: 'POST', path: '/api/jobs/', body: NEW_JOB },
    { method: 'POST', path: `${path}/progress`, body: { mark_failed: 'by a stranger' } },
    { method: 'GET', path },
    { method: 'GET', path: `${path}/status` },
  ]
}

describe('Whoever is nobody gets 401, and nothing happens', () => {
  /** What is sent as Authorization, by someone who has a key of the job's organisation or has not. */
  const credentials: Record<string, (org: string) => string | Promise<string>> = {
    'no credential': () => '',
    'another scheme': () => 'Basic dXNlcjpwYXNz',
    'no key behind Bearer': () => 'Bearer',
    'what is no key': () => 'Bearer secret',
    'a key that is cut short': async (org) => `Bearer ${(await issueKey(edge, { org })).key.slice(0, -1)}`,
    'a key without its scheme': async (org) => (await issueKey(edge, { org })).key,
    'two keys': async (org) => `Bearer ${(await issueKey(edge, { org })).key} ${newServerApiKey()}`,
    'a key that nobody issued': () => `Bearer ${newServerApiKey()}`,
    'an expired key': async (org) => `Bearer ${(await issueKey(edge, { org, expiresAt: Date.now() })).key}`,
    'a revoked key': async (org) => {
      const { key, keyId } = await issueKey(edge, { org })
      expect(await revokeApiKey(drizzle(await edge.d1()), org, keyId, Date.now())).toBe(true)
      return `Bearer ${key}`
    },
  }

  test.each(Object.entries(credentials))('%s', async (_, credentialOf) => {
    const job = await aJob()
    const Authorization = await credentialOf(job.org)
    for (const { method, path, body } of endpoints(job.path)) {
      const headers: Record<string, string> = Authorization === '' ? {} : { Authorization }
      const reply = await refused(job, () => call(edge, null, method, path, body, headers))
      // Unknown, expired and revoked read alike: a stranger learns nothing from the words.
      const detail = Authorization === '' ? 'Not authenticated' : 'Invalid credentials'
      expect(reply).toMatchObject({ status: 401, body: { detail } })
      expect(reply.headers.get('WWW-Authenticate')).toBe('Bearer')
    }
  })

  test('before the body or the id is looked at', async () => {
    for (const body of ['{', 'x'.repeat(2 * MIB)]) {
      const { status } = await call(edge, null, 'POST', `/api/jobs/${UNKNOWN_ID}/progress`, body)
      expect(status).toBe(401)
    }
  })

  test('a key that expires later is good, in whichever case its scheme is written', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization(), expiresAt: Date.now() + 3_600_000 })
    const headers = { Authorization: `bEaReR ${key}` }
    expect((await call(edge, null, 'POST', '/api/jobs/', NEW_JOB, headers)).status).toBe(200)
  })
})

describe('Whoever lacks the permission gets 403, and nothing happens', () => {
  const lacking = (permission: string) => ({
    status: 403,
    body: { detail: `Missing required permission: ${permission}` },
  })

  test('job:create is needed to create and to report', async () => {
    const job = await aJob()
    const { key } = await issueKey(edge, { org: job.org, permissions: ['job:read', 'job:cancel'] })
    for (const { method, path, body } of endpoints(job.path)) {
      const reply = await refused(job, () => call(edge, key, method, path, body))
      expect(reply).toMatchObject(method === 'POST' ? lacking('job:create') : { status: 200 })
    }
  })

  test('job:read is needed to read', async () => {
    const job = await aJob()
    const { key } = await issueKey(edge, { org: job.org, permissions: ['job:create', 'job:cancel'] })
    for (const path of [job.path, `${job.path}/status`]) {
      expect(await call(edge, key, 'GET', path)).toMatchObject(lacking('job:read'))
    }
    expect((await call(edge, key, 'POST', `${job.path}/progress`, {})).status).toBe(200)
  })

  test('before the body or the id is looked at', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization(), permissions: ['job:read'] })
    const reply = await call(edge, key, 'POST', `/api/jobs/${UNKNOWN_ID}/progress`, '{')
    expect(reply).toMatchObject(lacking('job:create'))
  })
})

describe('What is not there is 404', () => {
  test.each([
    ['an id that was never given', UNKNOWN_ID],
    ['one in capitals', UNKNOWN_ID.replace('job', 'JOB')],
    ['a bare UUID', '01a20c24-941b-765d-a1f9-912458cbd4df'],
    ['a word', 'nonsense'],
    ['the name of a property', '__proto__'],
    ['an encoded slash', 'a%2Fb'],
    ['an encoded zero', '%00'],
    ['an encoding that is none', '%ff%fe%'],
    ['an id in Greek', encodeURIComponent('δουλειά')],
    ['one from another system', 'IMPORT-2024_07'],
    ['the longest there may be', 'x'.repeat(128)],
    ['one too long', 'x'.repeat(129)],
    ['a far too long one', 'x'.repeat(4000)],
    ['one with a dot', 'import.2024'],
  ])('%s', async (_, id) => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    for (const { method, path, body } of endpoints(`/api/jobs/${id}`).slice(1)) {
      const reply = await call(edge, key, method, path, body)
      expect(reply).toMatchObject({ status: 404, body: { detail: 'Job not found' } })
    }
  })

  test('an unknown path', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    for (const path of [
      '/nowhere',
      '/api',
      '/api/job',
      `/api/jobs/${UNKNOWN_ID}/nothing`,
      '/api/jobs//progress',
    ]) {
      const { status, body } = await call(edge, key, 'GET', path)
      expect({ path, status, body }).toEqual({ path, status: 404, body: { detail: 'Not Found' } })
    }
  })

  test('but a body that is wrong is 422 before its job is looked for', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    for (const id of [UNKNOWN_ID, 'nonsense']) {
      const reply = await call(edge, key, 'POST', `/api/jobs/${id}/progress`, { total_items: -1 })
      expect(reply.status).toBe(422)
      expect(reply.body.detail).toEqual([
        {
          type: 'greater_than_equal',
          loc: ['body', 'total_items'],
          msg: 'Input should be greater than or equal to 0',
          input: -1,
          ctx: { ge: 0 },
        },
      ])
    }
  })
})

describe('A method that a path does not have is 405, and Allow tells which it has', () => {
  test.each([
    ['/api/jobs', 'PUT', 'GET, HEAD, POST'],
    ['/api/jobs/', 'DELETE', 'GET, HEAD, POST'],
    [`/api/jobs/${UNKNOWN_ID}`, 'POST', 'GET, HEAD'],
    [`/api/jobs/${UNKNOWN_ID}`, 'PATCH', 'GET, HEAD'],
    [`/api/jobs/${UNKNOWN_ID}/progress`, 'GET', 'POST'],
    [`/api/jobs/${UNKNOWN_ID}/progress/`, 'PUT', 'POST'],
    [`/api/jobs/${UNKNOWN_ID}/status`, 'POST', 'GET, HEAD'],
    ['/healthz', 'POST', 'GET, HEAD'],
    ['/openapi.json', 'DELETE', 'GET, HEAD'],
  ])('%s %s → %s', async (path, method, allowed) => {
    const reply = await call(edge, null, method, path)
    expect(reply).toMatchObject({ status: 405, body: { detail: 'Method Not Allowed' } })
    expect(reply.headers.get('Allow')?.split(', ').toSorted().join(', ')).toBe(allowed)
  })
})

describe('A body over 1 MB is 413, and nothing is applied', () => {
  const TOO_LARGE = { status: 413, body: { detail: `The body is larger than ${MIB} bytes` } }

  test('before any of it is read, where its length is announced', async () => {
    const job = await aJob()
    for (const path of ['/api/jobs/', `${job.path}/progress`]) {
      const reply = await refused(job, () => sendRaw(path, job.key, { 'Content-Length': MIB + 1 }, []))
      expect(reply).toMatchObject(TOO_LARGE)
    }
  })

  test('when it grows beyond, where it comes in chunks', async () => {
    const job = await aJob()
    const chunks = ['{"stage":"uploading","pad":"', ...Array(17).fill('x'.repeat(64 * 1024)), '"}']
    for (const path of ['/api/jobs/', `${job.path}/progress`]) {
      const reply = await refused(job, () =>
        sendRaw(path, job.key, { 'Transfer-Encoding': 'chunked' }, chunks),
      )
      expect(reply).toMatchObject(TOO_LARGE)
    }
  })

  test('while one of exactly 1 MB is read', async () => {
    const { key, path } = await aJob()
    const report = '{"stage":"uploading","pad":""}'
    const body = report.replace('""', `"${'x'.repeat(MIB - report.length)}"`)
    expect(body).toHaveLength(MIB)
    expect(await call(edge, key, 'POST', `${path}/progress`, body)).toMatchObject({
      status: 200,
      body: { metadata: { stage: 'uploading' } },
    })
  })

  /** POSTs chunks as they are, and does not end a request whose length announces more. */
  function sendRaw(
    path: string,
    key: string,
    headers: Record<string, string | number>,
    chunks: string[],
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sending = request(
        edge.url + path,
        {
          method: 'POST',
          headers: { ...headers, Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        },
        async (response) => {
          let text = ''
          for await (const part of response.setEncoding('utf8')) text += part
          sending.destroy()
          resolve({ status: response.statusCode ?? 0, headers: new Headers(), text, body: JSON.parse(text) })
        },
      )
      sending.on('error', reject)
      sending.flushHeaders()
      for (const chunk of chunks) sending.write(chunk)
      if (chunks.length > 0) sending.end()
    })
  }
})

describe('A body that cannot be read is refused, and nothing is applied', () => {
  test('invalid UTF-8 is 400', async () => {
    const job = await aJob()
    const body = new Uint8Array([...new TextEncoder().encode('{"stage":"'), 0xff, 0xfe, 0x22, 0x7d])
    const reply = await refused(job, () =>
      call(edge, job.key, 'POST', `${job.path}/progress`, body, { 'Content-Type': 'application/json' }),
    )
    expect(reply).toMatchObject({ status: 400, body: { detail: 'There was an error parsing the body' } })
  })

  test.each([
    ['malformed JSON', '{"mark_started":true,"stage":'],
    ['NaN', '{"mark_started":true,"metadata_patch":{"a":NaN}}'],
    ['a lone surrogate', '{"mark_started":true,"stage":"\\ud800"}'],
    ['a lone surrogate in a key', '{"mark_started":true,"metadata_patch":{"\\udfff":1}}'],
    [
      'nesting of thousands',
      `{"mark_started":true,"metadata_patch":{"a":${'['.repeat(5000)}${']'.repeat(5000)}}}`,
    ],
  ])('%s is 422', async (_, body) => {
    const job = await aJob()
    const reply = await refused(job, () => call(edge, job.key, 'POST', `${job.path}/progress`, body))
    expect(reply).toMatchObject({ status: 422, body: { detail: [{ msg: expect.any(String) }] } })
  })
})

describe('What is too long is 422, and nothing of its report is applied', () => {
  const entry = { entity_key: 'sku-2', entity_type: 'product', error_type: 'bad', message: 'Bad' }
  const x = (length: number) => 'x'.repeat(length)
  const tooLong = (field: (string | number)[], max: number) => ({
    type: 'string_too_long',
    loc: ['body', ...field],
    msg: `String should have at most ${max} characters`,
    ctx: { max_length: max },
  })
  const tooLarge = (field: string[], max: number) => ({
    type: 'too_large',
    loc: ['body', ...field],
    msg: `Input should take at most ${max} bytes as JSON`,
    ctx: { max_bytes: max },
  })

  test.each([
    { field: ['stage'], report: (s: string) => ({ stage: s }), max: 4096 },
    { field: ['message'], report: (s: string) => ({ message: s }), max: 4096 },
    { field: ['mark_failed'], report: (s: string) => ({ mark_failed: s }), max: 16_384 },
    ...['entity_key', 'entity_type', 'error_type', 'step'].map((name) => ({
      field: ['error', name],
      report: (s: string) => ({ error: { ...entry, [name]: s } }),
      max: 4096,
    })),
    {
      field: ['warning', 'message'],
      report: (s: string) => ({ warning: { ...entry, message: s } }),
      max: 16_384,
    },
  ])('$field: $max characters', async ({ field, report, max }) => {
    const job = await aJob()
    const rest = { mark_started: true, processed_items: 9 }
    expect(await problemsOf(job, { ...rest, ...report(x(max + 1)) })).toEqual([tooLong(field, max)])
    // Characters, and not bytes: each of these takes four.
    expect(await statusOf(job, { ...rest, ...report('😀'.repeat(max)) })).toBe(200)
  })

  test('an entry’s details: 16 KB', async () => {
    const job = await aJob()
    const report = (bytes: number) => ({
      stage: 'uploading',
      error: { ...entry, details: { a: x(bytes - '{"a":""}'.length) } },
    })
    expect(await problemsOf(job, report(16_385))).toEqual([tooLarge(['error', 'details'], 16_384)])
    expect(await statusOf(job, report(16_384))).toBe(200)
  })

  test('metadata: 64 KB in a new job', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    const order = (bytes: number) => ({ ...NEW_JOB, metadata: { a: x(bytes - '{"a":""}'.length) } })
    expect(await call(edge, key, 'POST', '/api/jobs/', order(65_537))).toMatchObject({
      status: 422,
      body: { detail: [tooLarge(['metadata'], 65_536)] },
    })
    expect((await call(edge, key, 'POST', '/api/jobs/', order(65_536))).status).toBe(200)
  })

  test('metadata: 64 KB in a patch', async () => {
    const job = await aJob({})
    const report = (bytes: number) => ({
      mark_started: true,
      metadata_patch: { a: x(bytes - '{"a":""}'.length) },
    })
    expect(await problemsOf(job, report(65_537))).toEqual([tooLarge(['metadata_patch'], 65_536)])
    expect(await statusOf(job, report(65_536))).toBe(200)
  })

  test('metadata: 64 KB in all, what was there before and the stage counted in', async () => {
    const job = await aJob({ a: x(40_000) })
    const whole = {
      type: 'too_large',
      loc: ['body'],
      msg: 'Metadata of a job should have at most 65536 bytes in all',
      ctx: { max_bytes: 65_536 },
    }
    // {"a":"…","b":"…"} takes 15 bytes beside the two texts.
    const room = 65_536 - 40_000 - 15
    const patch = (bytes: number) => ({ processed_items: 5, metadata_patch: { b: x(bytes) } })
    expect(await problemsOf(job, patch(room + 1))).toEqual([whole])
    expect(await statusOf(job, patch(room))).toBe(200)

    expect(await problemsOf(job, { stage: 'y', processed_items: 9 })).toEqual([whole])
    expect(await problemsOf(job, { message: 'y', mark_completed: true })).toEqual([whole])
    // What says nothing of metadata is taken from a job that is full of it, and so is what makes it smaller.
    const shorter = { metadata_patch: { b: '' }, stage: 'y' }
    for (const report of [{ processed_items: 9 }, shorter]) expect(await statusOf(job, report)).toBe(200)
  })

  test('a list: 500 entries', async () => {
    const job = await aJob()
    const report = (length: number) => ({ stage: 'uploading', errors: Array(length).fill(entry) })
    expect(await problemsOf(job, report(501))).toEqual([
      {
        type: 'too_long',
        loc: ['body', 'errors'],
        msg: 'List should have at most 500 items after validation, not 501',
        ctx: { field_type: 'List', max_length: 500, actual_length: 501 },
      },
    ])
    expect(await statusOf(job, report(500))).toBe(200)
  })

  test('all that is wrong is told at once', async () => {
    const job = await aJob()
    const problems = await problemsOf(job, {
      stage: x(4097),
      total_items: -1,
      error: { ...entry, step: x(4097), details: [] },
      errors: [entry, { ...entry, message: x(16_385) }],
    })
    expect(problems.map(({ loc }: { loc: unknown[] }) => loc.slice(1).join('.')).toSorted()).toEqual([
      'error.details',
      'error.step',
      'errors.1.message',
      'stage',
      'total_items',
    ])
  })
})
