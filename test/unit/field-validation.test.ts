import { describe, expect, test } from 'vitest'
import { JobProgressRequest, toReport } from '../../src/endpoints/report-progress.ts'
import { CREATE, post, problemsOf, REPORT } from './validation-app.ts'

const ENTRY = { entity_key: 'sku-1', error_type: 'parse', message: 'bad row' }

/** The report that a text becomes. */
async function reportOf(body: string): Promise<Record<string, unknown>> {
  const { status, json } = await post(REPORT, body)
  expect(json).not.toHaveProperty('detail')
  expect(status).toBe(200)
  return json
}

const only = async (report: unknown) => {
  const problems = await problemsOf(report)
  expect(problems).toHaveLength(1)
  return problems[0]
}

describe('An integer', () => {
  test.each([
    ['5', 5],
    ['5.0', 5],
    ['-0', 0],
    ['-0.0', 0],
    ['1e3', 1000],
    ['true', 1],
    ['false', 0],
    ['"5"', 5],
    ['" 5 "', 5],
    ['"+5"', 5],
    ['"-0"', 0],
    ['"007"', 7],
    ['"5.00"', 5],
    ['"1_000"', 1000],
    ['9007199254740993', 9007199254740992],
    ['9223372036854775807', 2 ** 63],
  ])('may be written %s', async (written, value) => {
    const report = await reportOf(`{"total_items":${written}}`)
    expect(report).toStrictEqual({ totalItems: value })
  })

  test.each([
    ['-1', 'greater_than_equal'],
    ['-1.0', 'greater_than_equal'],
    ['"-1"', 'greater_than_equal'],
    ['5.5', 'int_from_float'],
    ['-0.5', 'int_from_float'],
    ['1e20', 'int_parsing_size'],
    ['-1e20', 'int_parsing_size'],
    ['100000000000000000000', 'int_parsing_size'],
    [`"${'9'.repeat(5000)}"`, 'int_parsing_size'],
    ['1e400', 'finite_number'],
    ['[]', 'int_type'],
    ['{}', 'int_type'],
    ['""', 'int_parsing'],
    ['"5."', 'int_parsing'],
    ['".0"', 'int_parsing'],
    ['"0x5"', 'int_parsing'],
    ['"1e3"', 'int_parsing'],
    ['"5_"', 'int_parsing'],
    ['"+ 5"', 'int_parsing'],
    ['"٥"', 'int_parsing'],
    ['"\ufeff5"', 'int_parsing'],
  ])('may not be %s: %s', async (written, type) => {
    expect(await only(`{"total_items":${written}}`)).toMatchObject({ type, loc: ['body', 'total_items'] })
  })

  test('that is required may not be null', async () => {
    const [problem] = await problemsOf({ job_type: 'crawl', total_items: null }, CREATE)
    expect(problem).toMatchObject({ type: 'int_type', loc: ['body', 'total_items'], input: null })
  })
})

describe('A boolean', () => {
  test.each(['true', '1', '1.0', '"1"', '"true"', '"TRUE"', '"t"', '"yes"', '"Y"', '"on"'])(
    'is true as %s',
    async (written) => {
      expect(await reportOf(`{"mark_started":${written}}`)).toStrictEqual({ markStarted: true })
    },
  )

  test.each(['false', '0', '-0.0', '"0"', '"False"', '"f"', '"no"', '"n"', '"off"'])(
    'is false as %s, and takes no effect',
    async (written) => {
      expect(await reportOf(`{"mark_started":${written}}`)).toStrictEqual({})
    },
  )

  test.each([
    ['null', 'bool_type'],
    ['[]', 'bool_type'],
    ['1.5', 'bool_type'],
    ['1e20', 'bool_type'],
    ['1e400', 'bool_type'],
    ['2', 'bool_parsing'],
    ['-1', 'bool_parsing'],
    ['""', 'bool_parsing'],
    ['" true"', 'bool_parsing'],
    ['"1.0"', 'bool_parsing'],
  ])('may not be %s: %s', async (written, type) => {
    expect(await only(`{"mark_completed":${written}}`)).toMatchObject({
      type,
      loc: ['body', 'mark_completed'],
    })
  })
})

describe('A text', () => {
  const LIMITS: [string, number][] = [
    ['stage', 4096],
    ['message', 4096],
    ['mark_failed', 16_384],
  ]
  const ENTRY_LIMITS: [string, number][] = [
    ['entity_key', 4096],
    ['entity_type', 4096],
    ['error_type', 4096],
    ['step', 4096],
    ['message', 16_384],
  ]

  function tooLong(loc: (string | number)[], max: number) {
    return {
      type: 'string_too_long',
      loc: ['body', ...loc],
      msg: `String should have at most ${max} characters`,
      input: 'x'.repeat(max + 1),
      ctx: { max_length: max },
    }
  }

  test.each(LIMITS)('in %s has at most %i characters', async (field, max) => {
    await reportOf(JSON.stringify({ [field]: 'x'.repeat(max) }))
    expect(await only({ [field]: 'x'.repeat(max + 1) })).toStrictEqual(tooLong([field], max))
  })

  test.each(ENTRY_LIMITS)('in the %s of an entry has at most %i characters', async (field, max) => {
    await reportOf(JSON.stringify({ warnings: [{ ...ENTRY, [field]: 'x'.repeat(max) }] }))
    const problem = await only({ warnings: [ENTRY, { ...ENTRY, [field]: 'x'.repeat(max + 1) }] })
    expect(problem).toStrictEqual(tooLong(['warnings', 1, field], max))
  })

  test.each(['job_type', 'triggered_by'])('in %s of a new job has at most 4096 characters', async (field) => {
    const job = { job_type: 'crawl', total_items: 1 }
    expect((await post(CREATE, JSON.stringify({ ...job, [field]: 'x'.repeat(4096) }))).status).toBe(200)
    expect(await problemsOf({ ...job, [field]: 'x'.repeat(4097) }, CREATE)).toStrictEqual([
      tooLong([field], 4096),
    ])
  })

  test('is measured in characters, of which an emoji is one', async () => {
    await reportOf(JSON.stringify({ stage: '😀'.repeat(4096) }))
    expect(await only({ stage: '😀'.repeat(4097) })).toMatchObject({ type: 'string_too_long' })
  })

  test('with half a surrogate pair is refused wherever it would be stored', async () => {
    const half = '"\\ud800"'
    const bodies = [
      `{"stage":${half}}`,
      `{"metadata_patch":{"a":[{"b":${half}}]}}`,
      `{"metadata_patch":{"a":{${half}:1}}}`,
      `{"error":{"entity_key":${half},"error_type":"t","message":"m"}}`,
      `{"error":{"entity_key":"k","error_type":"t","message":"m","details":{${half}:1}}}`,
    ]
    for (const body of bodies) expect(await only(body)).toMatchObject({ type: 'string_unicode' })
  })

  test('with half a surrogate pair is accepted where it is not stored', async () => {
    expect(await reportOf('{"unknown":"\\ud800","stage":"x"}')).toStrictEqual({ stage: 'x' })
  })
})

describe('A dictionary', () => {
  /** An object that takes exactly `bytes` as JSON. */
  const weighing = (bytes: number) => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) })

  test('of metadata takes at most 64 KB', async () => {
    await reportOf(JSON.stringify({ metadata_patch: weighing(65_536) }))
    const input = weighing(65_537)
    expect(await only({ metadata_patch: input })).toStrictEqual({
      type: 'too_large',
      loc: ['body', 'metadata_patch'],
      msg: 'Input should take at most 65536 bytes as JSON',
      input,
      ctx: { max_bytes: 65_536 },
    })
    expect(await problemsOf({ job_type: 'a', total_items: 1, metadata: input }, CREATE)).toMatchObject([
      { type: 'too_large', loc: ['body', 'metadata'] },
    ])
  })

  test('of details takes at most 16 KB', async () => {
    await reportOf(JSON.stringify({ error: { ...ENTRY, details: weighing(16_384) } }))
    expect(await only({ error: { ...ENTRY, details: weighing(16_385) } })).toMatchObject({
      type: 'too_large',
      loc: ['body', 'error', 'details'],
      ctx: { max_bytes: 16_384 },
    })
  })

  test('is measured in bytes of UTF-8', async () => {
    expect(await only({ metadata_patch: { a: 'é'.repeat(32_768) } })).toMatchObject({ type: 'too_large' })
  })

  test('keeps every key as an ordinary one, even `__proto__`', async () => {
    const body = '{"metadata_patch":{"__proto__":{"p":1},"constructor":2,"a":[{"__proto__":null}]}}'
    const { metadataPatch } = await reportOf(body)
    expect(JSON.stringify({ metadata_patch: metadataPatch })).toBe(body)
  })

  test('holds null in place of a number that is too large for JavaScript', async () => {
    const body = '{"metadata_patch":{"a":1e400,"__proto__":-1e400,"b":[{"c":1e999}],"d":1e-400}}'
    const { metadataPatch } = await reportOf(body)
    expect(JSON.stringify(metadataPatch)).toBe('{"a":null,"__proto__":null,"b":[{"c":null}],"d":0}')
  })
})

describe('A list of entries', () => {
  test('has at most 500, and the entries of a longer one are not checked', async () => {
    const report = await reportOf(JSON.stringify({ errors: Array(500).fill(ENTRY) }))
    expect(report.errors).toHaveLength(500)
    const input = Array(501).fill({})
    expect(await only({ errors: input })).toStrictEqual({
      type: 'too_long',
      loc: ['body', 'errors'],
      msg: 'List should have at most 500 items after validation, not 501',
      input,
      ctx: { field_type: 'List', max_length: 500, actual_length: 501 },
    })
  })

  test.each([{}, 'x', 5, true])('may not be %j', async (input) => {
    expect(await only({ warnings: input })).toStrictEqual({
      type: 'list_type',
      loc: ['body', 'warnings'],
      msg: 'Input should be a valid list',
      input,
    })
  })

  test('names the entry that is wrong by its index', async () => {
    expect(await problemsOf({ errors: [ENTRY, null, { ...ENTRY, message: 5 }] })).toMatchObject([
      { type: 'model_attributes_type', loc: ['body', 'errors', 1], input: null },
      { type: 'string_type', loc: ['body', 'errors', 2, 'message'], input: 5 },
    ])
  })
})

describe('A problem', () => {
  test('of a missing field shows the object that lacks it, unknown keys included', async () => {
    const body = '{"error":{"entity_key":"k","error_type":"t","__proto__":{"a":1},"foo":2}}'
    const problem = await only(body)
    expect(problem).toMatchObject({ type: 'missing', loc: ['body', 'error', 'message'] })
    expect(JSON.stringify({ error: problem?.input })).toBe(body)
  })

  test('that only we report is left out if the original reports another', async () => {
    expect(await problemsOf('{"stage":"\\ud800","message":5}')).toMatchObject([{ type: 'string_type' }])
  })
})

describe('A report', () => {
  test('takes the single error before the others', async () => {
    const entry = (key: string) => ({ ...ENTRY, entity_key: key })
    const report = await reportOf(JSON.stringify({ errors: [entry('b'), entry('c')], error: entry('a') }))
    expect(report.errors).toMatchObject([{ entityKey: 'a' }, { entityKey: 'b' }, { entityKey: 'c' }])
  })

  test('fills in what an entry leaves out', async () => {
    expect(await reportOf(JSON.stringify({ warning: ENTRY }))).toStrictEqual({
      warnings: [
        {
          entityKey: 'sku-1',
          entityType: 'job',
          errorType: 'parse',
          message: 'bad row',
          step: null,
          details: null,
        },
      ],
    })
  })

  test('of only nulls, false and empty lists has no effect', async () => {
    const nothing = {
      mark_started: false,
      total_items: null,
      processed_items: null,
      metadata_patch: null,
      stage: null,
      message: null,
      error: null,
      warning: null,
      errors: [],
      warnings: null,
      mark_completed: false,
      mark_failed: null,
    }
    expect(await reportOf(JSON.stringify(nothing))).toStrictEqual({})
  })

  test('keeps values that are given but empty', async () => {
    const body = {
      mark_failed: '',
      stage: '',
      message: '',
      metadata_patch: {},
      total_items: 0,
      processed_items: 0,
    }
    expect(await reportOf(JSON.stringify(body))).toStrictEqual({
      totalItems: 0,
      processedItems: 0,
      metadataPatch: {},
      stage: '',
      message: '',
      markFailed: '',
    })
  })
})

test('the domain gets no number that JSON cannot store: no -0, no infinity', () => {
  const body = JobProgressRequest.parse({
    total_items: -0,
    processed_items: '-0',
    metadata_patch: { a: Infinity, b: { c: [-Infinity] } },
  })
  expect(toReport(body)).toStrictEqual({
    totalItems: 0,
    processedItems: 0,
    metadataPatch: { a: null, b: { c: [null] } },
  })
})

test('a new job has empty metadata and no triggered_by by default', async () => {
  const { json } = await post(CREATE, '{"job_type":"crawl","total_items":"3","unknown":1}')
  expect(json).toStrictEqual({
    jobType: 'crawl',
    totalItems: 3,
    metadata: {},
    labels: {},
    parentJobId: null,
    triggeredBy: null,
    stallAfterSeconds: null,
    startWithinSeconds: null,
    finishWithinSeconds: null,
    callbackUrl: null,
  })
})
