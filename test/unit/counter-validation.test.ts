import { describe, expect, test } from 'vitest'
import { endpoints } from '../../src/endpoints/all.ts'
import { describe as describeApi } from '../../src/openapi/describe.ts'
import { post, problemsOf, REPORT, sorted } from './validation-app.ts'

const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, n]))

test('counters may have any names of 1 to 64 characters, and integers as any other field', async () => {
  const body = `{"counters":{"__proto__":1,"${'😀'.repeat(64)}":5.0," ":"7","a":9223372036854775807}}`
  const { status, json } = await post(REPORT, body)
  expect(status).toBe(200)
  expect(JSON.stringify(json)).toBe(
    `{"counters":{"__proto__":1,"${'😀'.repeat(64)}":5," ":7,"a":9223372036854776000}}`,
  )
  expect((await post(REPORT, JSON.stringify({ counters: named(50) }))).status).toBe(200)
})

test.each([null, {}])('counters of %j have no effect', async (counters) => {
  const body = JSON.stringify({ processed_delta: null, processed_items: null, counters })
  expect(await post(REPORT, body)).toEqual({ status: 200, json: {} })
})

describe('A report is refused, and told everything that is wrong with its counters:', () => {
  test.each(['x', 5, true, [], ['created']])('not an object: %j', async (counters) => {
    expect(await problemsOf({ counters })).toEqual([
      {
        type: 'dict_type',
        loc: ['body', 'counters'],
        msg: 'Input should be a valid dictionary',
        input: counters,
      },
    ])
  })

  test('names and values', async () => {
    const long = 'x'.repeat(65)
    const problems = await problemsOf(
      `{"counters":{"":1,"${long}":-1,"a":null,"b":1.5,"c":"x","d":[],"__proto__":-1,"ok":3}}`,
    )
    const at = (...path: string[]) => ['body', 'counters', ...path]
    expect(sorted(problems)).toEqual(
      sorted([
        {
          type: 'string_too_short',
          loc: at('', '[key]'),
          msg: 'String should have at least 1 character',
          input: '',
          ctx: { min_length: 1 },
        },
        {
          type: 'string_too_long',
          loc: at(long, '[key]'),
          msg: 'String should have at most 64 characters',
          input: long,
          ctx: { max_length: 64 },
        },
        ...[long, '__proto__'].map((name) => ({
          type: 'greater_than_equal' as const,
          loc: at(name),
          msg: 'Input should be greater than or equal to 0',
          input: -1,
          ctx: { ge: 0 },
        })),
        ...[
          { name: 'a', type: 'int_type' as const, input: null },
          { name: 'b', type: 'int_from_float' as const, input: 1.5 },
          { name: 'c', type: 'int_parsing' as const, input: 'x' },
          { name: 'd', type: 'int_type' as const, input: [] },
        ].map(({ name, type, input }) => ({
          type,
          loc: at(name),
          msg: expect.stringMatching(/^Input should be a valid integer/),
          input,
        })),
      ]),
    )
  })

  test('half a surrogate pair in a name', async () => {
    expect(await problemsOf('{"counters":{"\\ud800":1}}')).toMatchObject([
      { type: 'string_unicode', loc: ['body', 'counters', '\ud800', '[key]'], input: '\ud800' },
    ])
  })

  test('more than 50 names, whose values are not looked at', async () => {
    expect(await problemsOf({ counters: { ...named(50), bad: -1 } })).toMatchObject([
      {
        type: 'too_long',
        loc: ['body', 'counters'],
        msg: 'Dictionary should have at most 50 items after validation, not 51',
        ctx: { field_type: 'Dictionary', max_length: 50, actual_length: 51 },
      },
    ])
  })
})

test('processed_delta together with processed_items is refused', async () => {
  for (const processed_delta of [0, 5]) {
    expect(await problemsOf({ processed_items: 3, processed_delta })).toEqual([
      {
        type: 'value_error',
        loc: ['body', 'processed_delta'],
        msg: 'Value error, processed_delta cannot be sent with processed_items',
        input: processed_delta,
      },
    ])
  }
  expect(await problemsOf({ processed_delta: -1 })).toMatchObject([
    { type: 'greater_than_equal', loc: ['body', 'processed_delta'], input: -1 },
  ])
})

test('the description says that counters are integers', () => {
  const { schemas } = describeApi(endpoints).components
  const integers = { type: 'object', additionalProperties: { type: 'integer' } }
  expect(schemas.JobProgressRequest?.properties?.counters).toMatchObject({
    anyOf: [{ ...integers, maxProperties: 50 }, { type: 'null' }],
  })
  expect(schemas.JobResponse?.properties?.counters).toMatchObject(integers)
})
