import { connect } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, type Reply, startEdge } from './harness.ts'

const ORDER = { job_type: 'import', total_items: 10, metadata: { source: 'sftp' } }
const anError = { entity_key: 'sku-1', entity_type: 'product', error_type: 'no_price', message: 'No price' }

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

async function aCaller() {
  const org = freshOrganization()
  const { key } = await issueKey(edge, { org })
  const keyed = (path: string, body: unknown, retryKey: string) =>
    call(edge, key, 'POST', path, body, { 'Idempotency-Key': retryKey })
  return {
    org,
    key,
    create: (retryKey: string, order: unknown = ORDER) => keyed('/api/jobs/', order, retryKey),
    report: (jobId: string, retryKey: string, report: unknown) =>
      keyed(`/api/jobs/${jobId}/progress`, report, retryKey),
    read: async (jobId: string) => (await call(edge, key, 'GET', `/api/jobs/${jobId}`)).body,
    listed: async () => (await call(edge, key, 'GET', '/api/jobs/')).body.jobs.length,
  }
}

/** A caller with a running job. */
async function aWorker() {
  const caller = await aCaller()
  const { body } = await call(edge, caller.key, 'POST', '/api/jobs/', ORDER)
  return { ...caller, jobId: body.job_id as string }
}

function expectReplay(again: Reply, first: Reply): void {
  expect(first.status).toBe(200)
  expect(first.headers.get('Idempotency-Replayed')).toBeNull()
  expect(again).toMatchObject({ status: first.status, text: first.text })
  expect(again.headers.get('Idempotency-Replayed')).toBe('true')
  expect(again.headers.get('ETag')).toBe(first.headers.get('ETag'))
}

/** What a key is refused with that was sent before, with another body. */
const reused = (input: string) => ({
  status: 422,
  body: {
    detail: [
      {
        type: 'idempotency_key_reused',
        loc: ['header', 'Idempotency-Key'],
        msg: 'This key was already used with another body',
        input,
      },
    ],
  },
})

describe('A report sent again under its key', () => {
  test('is answered the same, to the byte, and applied once, whatever came in between', async () => {
    const { report, read, jobId } = await aWorker()
    const sent = { mark_started: true, processed_items: 1, error: anError }
    const first = await report(jobId, 'k', sent)
    expectReplay(await report(jobId, 'k', sent), first)
    await report(jobId, 'k2', { processed_items: 7, error: anError })
    expectReplay(await report(jobId, 'k', sent), first)
    expect(await read(jobId)).toMatchObject({ processed_items: 7, error_count: 2 })
  })

  test('that finished the job is answered the same, where another would get 409', async () => {
    const { report, jobId } = await aWorker()
    const sent = { processed_items: 10, mark_completed: true }
    const first = await report(jobId, 'k', sent)
    expectReplay(await report(jobId, 'k', sent), first)
    expect((await report(jobId, 'k2', sent)).status).toBe(409)
  })

  test('with another body is refused, and applied not at all', async () => {
    const { report, read, jobId } = await aWorker()
    await report(jobId, 'k', { processed_items: 1 })
    const before = await read(jobId)
    for (const other of [{ processed_items: 2 }, { processed_items: 1, stage: 'x' }, {}]) {
      expect(await report(jobId, 'k', other)).toMatchObject(reused('k'))
    }
    expect(await read(jobId)).toEqual(before)
  })

  test('of several at once is applied once', async () => {
    const { report, read, jobId } = await aWorker()
    const replies = await Promise.all(Array.from({ length: 8 }, () => report(jobId, 'k', { error: anError })))
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(replies.filter(({ headers }) => headers.get('Idempotency-Replayed') === null)).toHaveLength(1)
    expect((await read(jobId)).error_count).toBe(1)
  })

  test('after it was refused is judged anew: only what was applied is remembered', async () => {
    const { report, jobId } = await aWorker()
    expect((await report(jobId, 'k', { processed_items: -1 })).status).toBe(422)
    expect(await report(jobId, 'k', { processed_items: 1 })).toMatchObject({
      status: 200,
      body: { processed_items: 1 },
    })
  })
})

describe('A create sent again under its key', () => {
  test('is answered the same, and makes no second job', async () => {
    const { create, report, listed } = await aCaller()
    const first = await create('k')
    expectReplay(await create('k'), first)
    await report(first.body.job_id, 'k', { mark_started: true, error: anError })
    expectReplay(await create('k'), first)
    expect(await listed()).toBe(1)
  })

  test('with another body is refused, and makes no job', async () => {
    const { create, listed, read } = await aCaller()
    const { body } = await create('k')
    expect(await create('k', { ...ORDER, total_items: 11 })).toMatchObject(reused('k'))
    expect(await listed()).toBe(1)
    expect(await read(body.job_id)).toMatchObject({ total_items: 10 })
  })

  test('by another organization is another job', async () => {
    const [ours, theirs] = [await aCaller(), await aCaller()]
    const [first, other] = [await ours.create('k'), await theirs.create('k')]
    expect([first.status, other.status]).toEqual([200, 200])
    expect(other.headers.get('Idempotency-Replayed')).toBeNull()
    expect(other.body.job_id).not.toBe(first.body.job_id)
    expect((await call(edge, theirs.key, 'GET', `/api/jobs/${first.body.job_id}`)).status).toBe(404)
  })

  test('by several at once makes one job', async () => {
    const { create, listed } = await aCaller()
    const replies = await Promise.all(Array.from({ length: 6 }, () => create('k')))
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(await listed()).toBe(1)
  })
})

describe('A key', () => {
  test('means something to its own endpoint and job alone', async () => {
    const { create, report } = await aCaller()
    const [first, second] = [await create('k'), await create('other')]
    for (const { body } of [first, second]) {
      const reply = await report(body.job_id, 'k', { processed_items: 3 })
      expect(reply).toMatchObject({ status: 200, body: { processed_items: 3 } })
      expect(reply.headers.get('Idempotency-Replayed')).toBeNull()
    }
    expectReplay(await create('k'), first)
  })

  test('has 1 to 255 characters', async () => {
    const { create, report, listed } = await aCaller()
    for (const [input, type, ctx] of [
      ['', 'string_too_short', { min_length: 1 }],
      ['x'.repeat(256), 'string_too_long', { max_length: 255 }],
    ] as const) {
      const detail = [{ type, loc: ['header', 'Idempotency-Key'], msg: expect.any(String), input, ctx }]
      expect(await create(input)).toMatchObject({ status: 422, body: { detail } })
      const { body } = await create('x'.repeat(255))
      expect(body.status).toBe('pending')
      expect(await report(body.job_id, input, { processed_items: 1 })).toMatchObject({
        status: 422,
        body: { detail },
      })
    }
    expect(await listed()).toBe(1)
  })

  test('counts by each of its characters, and by their case', async () => {
    const { report, jobId } = await aWorker()
    for (const retryKey of ['K', 'k', '"k"', 'k k', "k/:;=?'%20{}", '..']) {
      const first = await report(jobId, retryKey, { stage: retryKey })
      expectReplay(await report(jobId, retryKey, { stage: retryKey }), first)
      expect(first.body.metadata.stage).toBe(retryKey)
    }
  })

  test('is for the validation that comes first: a wrong body is a 422 of its own', async () => {
    const { create } = await aCaller()
    const { status, body } = await create('k', { job_type: 'import' })
    expect({ status, detail: body.detail }).toMatchObject({
      status: 422,
      detail: [{ type: 'missing', loc: ['body', 'total_items'] }],
    })
    expect((await create('k')).status).toBe(200)
  })
})

/** Reports one error, with header lines as they are, each character a byte. */
async function reportRaw({ key, jobId }: { key: string; jobId: string }, headerLines: string[]) {
  const body = JSON.stringify({ error: anError })
  const { hostname, port } = new URL(edge.url)
  const socket = connect(Number(port), hostname)
  const lines = [
    `POST /api/jobs/${jobId}/progress HTTP/1.1`,
    `Host: ${hostname}`,
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
    ...headerLines,
  ]
  socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
  const reply = await readText(socket)
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(reply)?.[1]),
    isReplay: /^idempotency-replayed: true\r$/im.test(reply),
    body: /\{.*\}/s.exec(reply)?.[0] ?? '',
  }
}

describe('A key as bytes on the wire', () => {
  test.each([
    ['Latin-1', ['row-\xe4', 'row-\xf6']],
    ['UTF-8', ['row-\xc3\xa4', 'row-\xc3\xb6']],
    ['no text at all', ['row-\xff', 'row-\xfe']],
    ['a tab', ['row\t1']],
    ['a delete', ['row\x7f']],
  ])('has to be printable ASCII, and is refused where it is %s', async (_, keys) => {
    const worker = await aWorker()
    for (const sent of keys) {
      const { status, body } = await reportRaw(worker, [`Idempotency-Key: ${sent}`])
      expect({ status, detail: JSON.parse(body).detail }).toEqual({
        status: 422,
        detail: [
          {
            type: 'string_pattern_mismatch',
            loc: ['header', 'Idempotency-Key'],
            msg: "String should match pattern '^[ -~]{1,255}$'",
            input: expect.stringContaining('row'),
            ctx: { pattern: '^[ -~]{1,255}$' },
          },
        ],
      })
    }
    // None of them passed for another.
    expect((await worker.read(worker.jobId)).error_count).toBe(0)
  })

  test('may be any printable ASCII, each of its characters telling it from others', async () => {
    const worker = await aWorker()
    const printable = Array.from({ length: 0x7f - 0x20 }, (_, n) => String.fromCharCode(0x20 + n)).join('')
    const keys = [`k${printable}k`, `k${printable.slice(0, -1)}k`, 'k'.repeat(255)]
    for (const sent of keys)
      expect(await reportRaw(worker, [`Idempotency-Key: ${sent}`])).toMatchObject({ isReplay: false })
    for (const sent of keys)
      expect(await reportRaw(worker, [`Idempotency-Key: ${sent}`])).toMatchObject({ isReplay: true })
    expect((await worker.read(worker.jobId)).error_count).toBe(keys.length)
  })

  test('is the same with blanks around it, which are none of it, and nothing where it is all blanks', async () => {
    const worker = await aWorker()
    expect(await reportRaw(worker, ['Idempotency-Key: k'])).toMatchObject({ status: 200, isReplay: false })
    for (const line of [
      'Idempotency-Key:k',
      'Idempotency-Key:   k',
      'Idempotency-Key: k  ',
      'Idempotency-Key:\tk\t',
    ])
      expect(await reportRaw(worker, [line])).toMatchObject({ status: 200, isReplay: true })
    for (const line of ['Idempotency-Key:', 'Idempotency-Key:   ']) {
      const { status, body } = await reportRaw(worker, [line])
      expect({ status, type: JSON.parse(body).detail[0].type }).toEqual({
        status: 422,
        type: 'string_too_short',
      })
    }
  })

  test('is, of several headers, all of them: in order, and with ", " between', async () => {
    const worker = await aWorker()
    const several = ['Idempotency-Key: a', 'Idempotency-Key: b']
    expect(await reportRaw(worker, several)).toMatchObject({ status: 200, isReplay: false })
    expect(await reportRaw(worker, several)).toMatchObject({ status: 200, isReplay: true })
    expect(await reportRaw(worker, ['Idempotency-Key: a, b'])).toMatchObject({ status: 200, isReplay: true })
    for (const other of [['Idempotency-Key: a'], several.toReversed()])
      expect(await reportRaw(worker, other)).toMatchObject({ status: 200, isReplay: false })
    for (const other of ['Idempotency-Key: \xe4', `Idempotency-Key: ${'b'.repeat(253)}`]) {
      expect(await reportRaw(worker, ['Idempotency-Key: a', other])).toMatchObject({ status: 422 })
    }
  })
})

test('without a key, what is sent twice is applied twice', async () => {
  const { key, jobId, read } = await aWorker()
  for (let n = 0; n < 2; n++) {
    const reply = await call(edge, key, 'POST', `/api/jobs/${jobId}/progress`, { error: anError })
    expect(reply.headers.get('Idempotency-Replayed')).toBeNull()
  }
  expect((await read(jobId)).error_count).toBe(2)
})
