import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { newServerApiKey } from '../../src/access/server-api-key.ts'
import { aCaller, aWorker, NEW_JOB, UNKNOWN_ID } from './fixtures.ts'
import { call, importJob, startEdge } from './harness.ts'

const UNKNOWN = `/api/jobs/${UNKNOWN_ID}`

let edge: Edge
const lines: string[] = []

beforeAll(async () => {
  edge = await startEdge({
    onLine: (line) => void lines.push(line),
    bindings: {
      STYTCH_PROJECT_ID: 'project-test-1',
      STYTCH_SECRET: 's3cret',
      STYTCH_BASE_URL: 'http://127.0.0.1:9',
    },
  })
})
afterAll(() => edge?.dispose())
beforeEach(() => void lines.splice(0))

/** The log lines with these fields, once there are some. Each is JSON on one line. */
async function linesWith(fields: Record<string, string>): Promise<Record<string, unknown>[]> {
  const found = () =>
    lines
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
      .filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value))
  await expect.poll(found).not.toEqual([])
  return found()
}

test('a refused request logs one line that says who, where and why, but nothing of what was sent', async () => {
  const { org, key, keyId } = await aCaller(edge, { permissions: ['job:create'] })
  const unknownKey = newServerApiKey()
  const cases: [why: string, expected: object, ask: (headers: Record<string, string>) => Promise<unknown>][] =
    [
      [
        'no_credential',
        { status: 401, organization: null, credential: null, route: '/api/jobs/:job_id' },
        (headers) => call(edge, null, 'GET', UNKNOWN, undefined, headers),
      ],
      [
        'unknown',
        { status: 401, organization: null, credential: null },
        (headers) => call(edge, unknownKey, 'GET', UNKNOWN, undefined, headers),
      ],
      [
        'not_permitted',
        {
          status: 403,
          organization: org,
          credential: keyId,
          method: 'GET',
          route: '/api/jobs/:job_id/status',
        },
        (headers) => call(edge, key, 'GET', `${UNKNOWN}/status`, undefined, headers),
      ],
      [
        'invalid',
        { status: 422, organization: org, credential: keyId, route: '/api/jobs' },
        (headers) => call(edge, key, 'POST', '/api/jobs/', { job_type: 'body-secret' }, headers),
      ],
      [
        'not_found',
        { status: 404, organization: org, route: '/api/jobs/:job_id/progress' },
        (headers) => call(edge, key, 'POST', `${UNKNOWN}/progress`, { stage: 'body-secret' }, headers),
      ],
      [
        'no_such_path',
        { status: 404, organization: null, route: null },
        (headers) => call(edge, key, 'GET', '/nowhere/path-secret', undefined, headers),
      ],
      [
        'method_not_allowed',
        { status: 405 },
        (headers) => call(edge, key, 'DELETE', '/api/jobs/', undefined, headers),
      ],
    ]
  for (const [index, [reason, expected, ask]] of cases.entries()) {
    const request_id = `request-${index}`
    await ask({ 'X-Request-ID': request_id })
    expect(await linesWith({ request_id })).toEqual([
      expect.objectContaining({ event: 'refused', request_id, reason, ...expected }),
    ])
  }
  const all = lines.join('\n')
  for (const secret of [key, unknownKey, 'body-secret', 'path-secret']) expect(all).not.toContain(secret)
})

test('a successful request logs nothing', async () => {
  const { key } = await aCaller(edge)
  await call(edge, key, 'POST', '/api/jobs/', NEW_JOB)
  // When the line of a later request is there, a line of an earlier one would be there, too.
  await call(edge, key, 'GET', UNKNOWN, undefined, { 'X-Request-ID': 'later' })
  await linesWith({ request_id: 'later' })
  expect(lines).toHaveLength(1)
})

test('a failure of D1 is logged without keys and bodies', async () => {
  const known = await aCaller(edge)
  const { org } = known
  const unseen = await aCaller(edge, { org })
  expect((await call(edge, known.key, 'GET', UNKNOWN)).status).toBe(404)
  const lock = new DatabaseSync(await edge.d1File())
  lock.exec('BEGIN IMMEDIATE')
  try {
    const newJob = { ...NEW_JOB, metadata: { note: 'body-secret' } }
    const created = await call(edge, known.key, 'POST', '/api/jobs/', newJob)
    expect(created.status).toBe(200)
    const said = expect.stringMatching(/^D1_ERROR/)
    const [line] = await linesWith({ event: 'job_not_recorded', organization: org })
    expect(line).toMatchObject({ job_id: created.body.job_id })
    expect((await linesWith({ event: 'batch_not_recorded' }))[0]).toMatchObject({ said })

    const request_id = 'while-locked'
    const refused = await call(edge, unseen.key, 'GET', UNKNOWN, undefined, { 'X-Request-ID': request_id })
    expect(refused.status).toBe(503)
    expect(await linesWith({ request_id })).toEqual([
      expect.objectContaining({ event: 'key_not_looked_up', said }),
      expect.objectContaining({ event: 'refused', status: 503, reason: 'credential_not_checked' }),
    ])
  } finally {
    lock.exec('ROLLBACK')
    lock.close()
  }
  for (const secret of [known.key, unseen.key, 'body-secret']) expect(lines.join('\n')).not.toContain(secret)
})

test('a failed query is logged without its parameters, whatever they look like', async () => {
  const { org, key, jobId, reported } = await aWorker(edge)
  await reported({ mark_completed: true })
  const d1 = await edge.d1()
  // Only D1 has this job, so its entries are read from there.
  const imported = `job_${'e'.repeat(32)}`
  await importJob(edge, jobId, imported)
  expect((await call(edge, key, 'GET', `/api/jobs/${imported}/errors`)).status).toBe(200)
  await d1.prepare('ALTER TABLE job_entries RENAME TO job_entries_away').run()
  try {
    const text = encodeURIComponent('x\n    at CUSTOMER-7\n    at CUSTOMER (index.js:1:2)')
    const reply = await call(edge, key, 'GET', `/api/jobs/${imported}/errors?error_type=${text}`)
    expect(reply.status).toBe(503)
  } finally {
    await d1.prepare('ALTER TABLE job_entries_away RENAME TO job_entries').run()
  }
  const [line] = await linesWith({ organization: org, job_id: imported })
  expect(line).toMatchObject({ said: expect.stringContaining('no such table: job_entries') })
  expect(line?.at).not.toEqual([])
  expect(lines.join('\n')).not.toContain('CUSTOMER')
})

test('a session that cannot be checked is logged without its token', async () => {
  const Cookie = 'stytch_session=token-secret; stytch_session_jwt=jwt-secret'
  const reply = await call(edge, null, 'GET', UNKNOWN, undefined, { Cookie, 'X-Request-ID': 'by-cookie' })
  expect(reply.status).toBe(503)
  await linesWith({ event: 'stytch_did_not_answer' })
  expect(await linesWith({ request_id: 'by-cookie' })).toEqual([
    expect.objectContaining({ status: 503, reason: 'credential_not_checked' }),
  ])
  for (const secret of ['token-secret', 'jwt-secret', 's3cret'])
    expect(lines.join('\n')).not.toContain(secret)
})

test('a request ID is kept if it is sane, made otherwise, and always returned', async () => {
  const idOf = async (sent?: string) => {
    const headers: Record<string, string> = sent === undefined ? {} : { 'X-Request-ID': sent }
    return (await call(edge, null, 'GET', '/healthz', undefined, headers)).headers.get('X-Request-ID')
  }
  const made = /^[0-9a-f]{8}-[0-9a-f-]{27}$/
  expect(await idOf('import-2026_11=1')).toBe('import-2026_11=1')
  for (const sent of [undefined, '', 'with space', '{"event":"forged"}', 'x'.repeat(256)])
    expect(await idOf(sent), sent).toMatch(made)
  expect(await idOf()).not.toBe(await idOf())
  for (const path of [UNKNOWN, '/nowhere']) {
    const reply = await call(edge, null, 'DELETE', path, undefined, { 'X-Request-ID': 'told' })
    expect(reply.headers.get('X-Request-ID')).toBe('told')
  }
})

test('every reply has headers against script, framing, sniffing and referrers', async () => {
  const { key } = await aCaller(edge)
  for (const reply of [
    await call(edge, key, 'POST', '/api/jobs/', NEW_JOB),
    await call(edge, null, 'GET', UNKNOWN),
    await call(edge, null, 'GET', '/nowhere'),
    await call(edge, null, 'GET', '/openapi.json'),
  ]) {
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
  }
})
