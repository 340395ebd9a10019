import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aCaller, anError, aWorker, NEW_JOB } from './fixtures.ts'
import { startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** A worker whose job has something in it that a refused report must not change. */
async function aFilledJob(metadata: object = { seed: 1 }) {
  const worker = await aWorker(edge, { metadata })
  await worker.reported({ processed_items: 2, error: anError })
  return worker
}

type Worker = Awaited<ReturnType<typeof aFilledJob>>

/** The problems of a report that must be refused with 422, without the input, which may be long. */
async function problemsOf({ report, read }: Worker, body: object) {
  const before = await read()
  const reply = await report(body)
  expect(reply.status).toBe(422)
  expect(await read()).toEqual(before)
  return reply.body.detail.map(({ input: _, ...problem }: { input: unknown }) => problem)
}

const statusOf = async ({ report }: Worker, body: object) => (await report(body)).status

describe('A report or a new job that is too large is refused with 422, and nothing is applied', () => {
  const entry = { ...anError, entity_key: 'sku-2' }
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
    const job = await aFilledJob()
    const rest = { mark_started: true, processed_items: 9 }
    expect(await problemsOf(job, { ...rest, ...report(x(max + 1)) })).toEqual([tooLong(field, max)])
    // Characters count, not bytes: each of these takes four.
    expect(await statusOf(job, { ...rest, ...report('😀'.repeat(max)) })).toBe(200)
  })

  test('an entry’s details: 16 KB', async () => {
    const job = await aFilledJob()
    const report = (bytes: number) => ({
      stage: 'uploading',
      error: { ...entry, details: { a: x(bytes - '{"a":""}'.length) } },
    })
    expect(await problemsOf(job, report(16_385))).toEqual([tooLarge(['error', 'details'], 16_384)])
    expect(await statusOf(job, report(16_384))).toBe(200)
  })

  test('metadata: 64 KB in a new job', async () => {
    const { post } = await aCaller(edge)
    const newJob = (bytes: number) => ({ ...NEW_JOB, metadata: { a: x(bytes - '{"a":""}'.length) } })
    expect(await post('/api/jobs/', newJob(65_537))).toMatchObject({
      status: 422,
      body: { detail: [tooLarge(['metadata'], 65_536)] },
    })
    expect((await post('/api/jobs/', newJob(65_536))).status).toBe(200)
  })

  test('metadata: 64 KB in a patch', async () => {
    const job = await aFilledJob({})
    const report = (bytes: number) => ({
      mark_started: true,
      metadata_patch: { a: x(bytes - '{"a":""}'.length) },
    })
    expect(await problemsOf(job, report(65_537))).toEqual([tooLarge(['metadata_patch'], 65_536)])
    expect(await statusOf(job, report(65_536))).toBe(200)
  })

  test('metadata: 64 KB in all, with the metadata before the report and the stage', async () => {
    const job = await aFilledJob({ a: x(40_000) })
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
    // A report without metadata is still taken, and so is one that makes the metadata smaller.
    const shorter = { metadata_patch: { b: '' }, stage: 'y' }
    for (const report of [{ processed_items: 9 }, shorter]) expect(await statusOf(job, report)).toBe(200)
  })

  test('counters: 50 names in a job, unless the report finishes it', async () => {
    const job = await aFilledJob()
    const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, 1]))
    expect(await statusOf(job, { counters: named(50) })).toBe(200)
    const report = { processed_delta: 5, counters: { n0: 1, other: 2 } }
    expect(await problemsOf(job, report)).toEqual([
      {
        type: 'too_long',
        loc: ['body', 'counters'],
        msg: 'A job should have at most 50 counters, not 51',
        ctx: { field_type: 'Dictionary', max_length: 50, actual_length: 51 },
      },
    ])
    expect(await job.report({ counters: { other: 2 }, mark_completed: true })).toMatchObject({
      status: 200,
      body: { counters: named(50), counters_not_kept: 1 },
    })
  })

  test('a list of entries: 500', async () => {
    const job = await aFilledJob()
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

  test('the reply names everything that is wrong', async () => {
    const job = await aFilledJob()
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

test.each([
  ['a text', '{"mark_started":true,"stage":"\\ud800"}'],
  ['a key', '{"mark_started":true,"metadata_patch":{"\\udfff":1}}'],
])('half a surrogate pair in %s is refused with 422, and nothing is applied', async (_, body) => {
  const { report, read } = await aFilledJob()
  const before = await read()
  expect(await report(body)).toMatchObject({ status: 422, body: { detail: [{ msg: expect.any(String) }] } })
  expect(await read()).toEqual(before)
})
