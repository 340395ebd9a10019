import { connect } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { checkReply } from './check-reply.ts'
import { aCaller, anError, type Body, NEW_JOB } from './fixtures.ts'
import { type Reply, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** A caller whose creates and reports have an Idempotency-Key. */
async function aKeyedCaller() {
  const caller = await aCaller(edge)
  const keyed = (path: string, body: unknown, idempotencyKey: string) =>
    caller.post(path, body, { 'Idempotency-Key': idempotencyKey })
  return {
    ...caller,
    create: (idempotencyKey: string, newJob: unknown = NEW_JOB) =>
      keyed('/api/jobs/', newJob, idempotencyKey),
    report: (jobId: string, idempotencyKey: string, report: unknown) =>
      keyed(`/api/jobs/${jobId}/progress`, report, idempotencyKey),
    read: async (jobId: string): Promise<Body> => (await caller.get(`/api/jobs/${jobId}`)).body,
    listed: async () => (await caller.get('/api/jobs/')).body.jobs.length,
  }
}

/** Such a caller with a pending job. */
async function aKeyedWorker() {
  const caller = await aKeyedCaller()
  const { body } = await caller.post('/api/jobs/', NEW_JOB)
  return { ...caller, jobId: body.job_id as string }
}

function expectReplay(again: Reply, first: Reply): void {
  expect(first.status).toBe(200)
  expect(first.headers.get('Idempotency-Replayed')).toBeNull()
  expect(again).toMatchObject({ status: first.status, text: first.text })
  expect(again.headers.get('Idempotency-Replayed')).toBe('true')
  expect(again.headers.get('ETag')).toBe(first.headers.get('ETag'))
}

/** The refusal of a key that was used before with another body. */
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

describe('A report repeated with its key', () => {
  test('gets the same reply, byte for byte, and is applied once, whatever came between', async () => {
    const { report, read, jobId } = await aKeyedWorker()
    const sent = { mark_started: true, processed_items: 1, error: anError }
    const first = await report(jobId, 'k', sent)
    expectReplay(await report(jobId, 'k', sent), first)
    await report(jobId, 'k2', { processed_items: 7, error: anError })
    expectReplay(await report(jobId, 'k', sent), first)
    expect(await read(jobId)).toMatchObject({ processed_items: 7, error_count: 2 })
  })

  test('gets the same reply even if it finished the job, when any other report gets 409', async () => {
    const { report, jobId } = await aKeyedWorker()
    const sent = { processed_items: 10, mark_completed: true }
    const first = await report(jobId, 'k', sent)
    expectReplay(await report(jobId, 'k', sent), first)
    expect((await report(jobId, 'k2', sent)).status).toBe(409)
  })

  test('but with another body is refused and not applied', async () => {
    const { report, read, jobId } = await aKeyedWorker()
    await report(jobId, 'k', { processed_items: 1 })
    const before = await read(jobId)
    for (const other of [{ processed_items: 2 }, { processed_items: 1, stage: 'x' }, {}]) {
      expect(await report(jobId, 'k', other)).toMatchObject(reused('k'))
    }
    expect(await read(jobId)).toEqual(before)
  })

  test('several times at once is applied once', async () => {
    const { report, read, jobId } = await aKeyedWorker()
    const replies = await Promise.all(Array.from({ length: 8 }, () => report(jobId, 'k', { error: anError })))
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(replies.filter(({ headers }) => headers.get('Idempotency-Replayed') === null)).toHaveLength(1)
    expect((await read(jobId)).error_count).toBe(1)
  })

  test('adds what parallel workers count exactly once', async () => {
    const { report, read, jobId } = await aKeyedWorker()
    const send = (n: number) => report(jobId, `k${n}`, { processed_delta: n, counters: { created: n } })
    const sent = [1, 2, 3, 4, 5, 6]
    const replies = await Promise.all([...sent, ...sent].map(send))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await read(jobId)).toMatchObject({ processed_items: 21, counters: { created: 21 } })
  })

  test('after it was refused counts as new: only applied reports are remembered', async () => {
    const { report, jobId } = await aKeyedWorker()
    expect((await report(jobId, 'k', { processed_items: -1 })).status).toBe(422)
    expect(await report(jobId, 'k', { processed_items: 1 })).toMatchObject({
      status: 200,
      body: { processed_items: 1 },
    })
  })
})

describe('A create repeated with its key', () => {
  test('gets the same reply, and makes no second job', async () => {
    const { create, report, listed } = await aKeyedCaller()
    const first = await create('k')
    expectReplay(await create('k'), first)
    await report(first.body.job_id, 'k', { mark_started: true, error: anError })
    expectReplay(await create('k'), first)
    expect(await listed()).toBe(1)
  })

  test('but with another body is refused, and makes no job', async () => {
    const { create, listed, read } = await aKeyedCaller()
    const { body } = await create('k')
    expect(await create('k', { ...NEW_JOB, total_items: 11 })).toMatchObject(reused('k'))
    expect(await listed()).toBe(1)
    expect(await read(body.job_id)).toMatchObject({ total_items: 10 })
  })

  test('by another organization makes another job', async () => {
    const [ours, theirs] = [await aKeyedCaller(), await aKeyedCaller()]
    const [first, other] = [await ours.create('k'), await theirs.create('k')]
    expect([first.status, other.status]).toEqual([200, 200])
    expect(other.headers.get('Idempotency-Replayed')).toBeNull()
    expect(other.body.job_id).not.toBe(first.body.job_id)
    expect((await theirs.get(`/api/jobs/${first.body.job_id}`)).status).toBe(404)
  })

  test('several times at once makes one job', async () => {
    const { create, listed } = await aKeyedCaller()
    const replies = await Promise.all(Array.from({ length: 6 }, () => create('k')))
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(await listed()).toBe(1)
  })
})

describe('An Idempotency-Key', () => {
  test('counts only for its endpoint and its job', async () => {
    const { create, report } = await aKeyedCaller()
    const [first, second] = [await create('k'), await create('other')]
    for (const { body } of [first, second]) {
      const reply = await report(body.job_id, 'k', { processed_items: 3 })
      expect(reply).toMatchObject({ status: 200, body: { processed_items: 3 } })
      expect(reply.headers.get('Idempotency-Replayed')).toBeNull()
    }
    expectReplay(await create('k'), first)
  })

  test('is compared character by character, and case matters', async () => {
    const { report, jobId } = await aKeyedWorker()
    for (const idempotencyKey of ['K', 'k', '"k"', 'k k', "k/:;=?'%20{}", '..']) {
      const first = await report(jobId, idempotencyKey, { stage: idempotencyKey })
      expectReplay(await report(jobId, idempotencyKey, { stage: idempotencyKey }), first)
      expect(first.body.metadata.stage).toBe(idempotencyKey)
    }
  })

  test('is not used up by an invalid body', async () => {
    const { create } = await aKeyedCaller()
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
  const path = `/api/jobs/${jobId}/progress`
  const body = JSON.stringify({ error: anError })
  const { hostname, port } = new URL(edge.url)
  const socket = connect(Number(port), hostname)
  const lines = [
    `POST ${path} HTTP/1.1`,
    `Host: ${hostname}`,
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
    ...headerLines,
  ]
  socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
  const reply = await readText(socket)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(reply)?.[1])
  const contentType = /^content-type: (.*)\r$/im.exec(reply)?.[1] ?? null
  const text = /\{.*\}/s.exec(reply)?.[0] ?? ''
  checkReply('POST', path, { status, contentType, text })
  return {
    status,
    isReplay: /^idempotency-replayed: true\r$/im.test(reply),
    body: JSON.parse(text),
  }
}

describe('An Idempotency-Key on the wire', () => {
  test.each([
    ['Latin-1', ['row-\xe4', 'row-\xf6']],
    ['UTF-8', ['row-\xc3\xa4', 'row-\xc3\xb6']],
    ['no text at all', ['row-\xff', 'row-\xfe']],
    ['a tab', ['row\t1']],
    ['a delete', ['row\x7f']],
  ])('is refused if it is not printable ASCII: %s', async (_, keys) => {
    const worker = await aKeyedWorker()
    for (const sent of keys) {
      const { status, body } = await reportRaw(worker, [`Idempotency-Key: ${sent}`])
      expect({ status, detail: body.detail }).toEqual({
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
    // None of them was taken for another.
    expect((await worker.read(worker.jobId)).error_count).toBe(0)
  })

  test('may be up to 255 characters of printable ASCII, and all of them count', async () => {
    const worker = await aKeyedWorker()
    const printable = Array.from({ length: 0x7f - 0x20 }, (_, n) => String.fromCharCode(0x20 + n)).join('')
    const keys = [`k${printable}k`, `k${printable.slice(0, -1)}k`, 'k'.repeat(255)]
    for (const sent of keys)
      expect(await reportRaw(worker, [`Idempotency-Key: ${sent}`])).toMatchObject({ isReplay: false })
    for (const sent of keys)
      expect(await reportRaw(worker, [`Idempotency-Key: ${sent}`])).toMatchObject({ isReplay: true })
    expect((await worker.read(worker.jobId)).error_count).toBe(keys.length)
  })

  test('is stripped of blanks around it, and is empty if it is only blanks', async () => {
    const worker = await aKeyedWorker()
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
      expect({ status, type: body.detail[0].type }).toEqual({
        status: 422,
        type: 'string_too_short',
      })
    }
  })

  test('is all values in order, joined by ", ", if the header is sent several times', async () => {
    const worker = await aKeyedWorker()
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

test('without a key, a report sent twice is applied twice', async () => {
  const { post, jobId, read } = await aKeyedWorker()
  for (let n = 0; n < 2; n++) {
    const reply = await post(`/api/jobs/${jobId}/progress`, { error: anError })
    expect(reply.headers.get('Idempotency-Replayed')).toBeNull()
  }
  expect((await read(jobId)).error_count).toBe(2)
})
