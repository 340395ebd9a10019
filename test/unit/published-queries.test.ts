import fc from 'fast-check'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { endpoints } from '../../src/endpoints/all.ts'
import { query } from '../../src/http/body/query.ts'
import { describe as describeApi } from '../../src/openapi/describe.ts'

interface Published {
  type?: string
  minimum?: number
  maximum?: number
  pattern?: string
  items?: { enum: string[] }
}

interface Parameter {
  in: string
  name: string
  description: string
  schema: Published
}

const { paths } = describeApi(endpoints)
const parameters = endpoints.flatMap(({ id, path, method, query: schema }) => {
  if (schema === undefined) return []
  const app = new Hono().get('/', query(schema), (c) => c.body(null, 204))
  const operation = paths[path]?.[method] as { parameters: Parameter[] }
  return operation.parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, description, schema: published }) => {
      const statusOf = async (...values: string[]) =>
        (await app.request(`/?${new URLSearchParams(values.map((value) => [name, value]))}`)).status
      return { id, name, description, published, statusOf }
    })
})

describe.each(parameters)(
  'The query parameter $name of $id',
  ({ name, description, published, statusOf }) => {
    test('is accepted as its published schema allows, and refused beyond it', async () => {
      const { type, minimum = 0, maximum = 0, pattern, items } = published
      if (type === 'integer') {
        for (const value of [minimum, maximum]) expect(await statusOf(String(value))).toBe(204)
        for (const value of [minimum - 1, maximum + 1]) expect(await statusOf(String(value))).toBe(422)
      } else if (type === 'boolean') {
        for (const value of ['true', 'false']) expect(await statusOf(value)).toBe(204)
        expect(await statusOf('maybe')).toBe(422)
      } else if (type === 'array') {
        expect(await statusOf(...(items?.enum ?? []))).toBe(204)
        for (const value of items?.enum ?? []) expect(await statusOf(value)).toBe(204)
        expect(await statusOf(`${items?.enum[0]}x`)).toBe(422)
      } else if (pattern !== undefined) {
        const regex = new RegExp(pattern)
        const text = fc.oneof(fc.string(), fc.stringMatching(regex))
        const seen = new Set<number>()
        await fc.assert(
          fc.asyncProperty(text, async (value) => {
            const status = await statusOf(value)
            seen.add(status)
            if (!regex.test(value)) expect(status).toBe(422)
            // A time may match and still not exist, such as February 30.
            else if (!/^(created_|since$|until$)/.test(name)) expect(status).toBe(204)
          }),
        )
        expect(seen).toContain(422)
      } else {
        expect(type).toBe('string')
        // No schema can tell which cursors there are. The bound of a text is in its description.
        expect(await statusOf('any text')).toBe(name === 'cursor' ? 422 : 204)
        if (name !== 'cursor') expect(description).toMatch(/At most 4,096 characters/)
        expect(await statusOf('x'.repeat(4_097))).toBe(422)
      }
    })
  },
)
