import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { endpoints } from '../../src/endpoints/all.ts'
import { query } from '../../src/http/body/query.ts'
import { describe as describeApi } from '../../src/openapi/describe.ts'

interface Parameter {
  in: string
  name: string
  schema: z.core.JSONSchema.JSONSchema
}

const LONG = 'x'.repeat(5_000)

/** What each parameter is tried with. A list is sent as a repeated parameter. */
const VALUES = [
  ['pending'],
  ['pending', 'failed'],
  ['pending,failed'],
  ['pending', 'done'],
  ['2026-01-01'],
  ['2026-01-01T10:20:30Z'],
  ['2026-01-01T10:20:30.5+02:00'],
  ['2026-01-01T10:20'],
  ['2026-02-30'],
  ['true'],
  ['false'],
  ['yes'],
  ['0'],
  ['1'],
  ['200'],
  ['201'],
  ['1000'],
  ['1001'],
  ['1.5'],
  ['true', 'true'],
  ['x'],
  [''],
  [LONG],
]

/** Taken although the schema is narrower. The words of `status` and of the times say so. Booleans are those of the original. */
const TAKEN_BEYOND = [
  'created_after=2026-01-01T10:20',
  'created_before=2026-01-01T10:20',
  'metadata=0',
  'metadata=1',
  'metadata=yes',
  'stalled=0',
  'stalled=1',
  'stalled=yes',
  'status=pending,failed',
]

/** Refused although the schema is wider: its words bound the length. */
const REFUSED_WITHIN = [`error_type=${LONG}`, `job_type=${LONG}`, `triggered_by=${LONG}`]

const { paths } = describeApi(endpoints)

function parametersOf(path: string, method: string): Parameter[] {
  const operation = paths[path]?.[method] as { parameters: Parameter[] }
  // A cursor is opaque: no schema tells which ones there are.
  return operation.parameters.filter(({ in: place, name }) => place === 'query' && name !== 'cursor')
}

/** Whether the schema of a parameter allows these values. */
function isDescribed({ schema }: Parameter, values: string[]): boolean {
  const read = (text: string) => {
    if (schema.type === 'integer') return /^-?[0-9.]+$/.test(text) ? Number(text) : text
    return schema.type === 'boolean' && /^(true|false)$/.test(text) ? text === 'true' : text
  }
  const value = schema.type === 'array' ? values : values.length > 1 ? values : read(values[0] ?? '')
  return z.fromJSONSchema(schema).safeParse(value).success
}

const queried = endpoints.flatMap(({ id, path, method, query: schema }) =>
  schema === undefined ? [] : [{ id, schema, parameters: parametersOf(path, method) }],
)

describe.each(queried)('The query of $id', ({ schema, parameters }) => {
  const app = new Hono().get('/', query(schema), (c) => c.text(''))

  test.each(parameters)('takes for $name what its schema allows, and nothing else', async (parameter) => {
    for (const values of VALUES) {
      const search = new URLSearchParams(values.map((value) => [parameter.name, value]))
      const { status } = await app.request(`/?${search}`)
      const sent = values.map((value) => `${parameter.name}=${value}`).join('&')
      const isTaken = isDescribed(parameter, values)
        ? !REFUSED_WITHIN.includes(sent)
        : TAKEN_BEYOND.includes(sent)
      expect(status, sent.slice(0, 100)).toBe(isTaken ? 200 : 422)
    }
  })
})
