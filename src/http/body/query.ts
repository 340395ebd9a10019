import { zValidator } from '@hono/zod-validator'
import type { z } from 'zod'
import { invalid, refuse } from '../reply/refuse.ts'
import { toProblems } from '../reply/validation-error.ts'

/** Validates the query string, or refuses with 422. The handler gets it from `c.req.valid('query')`. */
export function query<Schema extends z.ZodType>(schema: Schema) {
  return zValidator('query', schema, (result, c) => {
    if (!result.success) return refuse(c, invalid(toProblems(result.error.issues, result.data, 'query')))
  })
}
