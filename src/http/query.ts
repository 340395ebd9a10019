import { zValidator } from '@hono/zod-validator'
import type { z } from 'zod'
import { invalid, toProblems } from './validation-error.ts'

/** Validates the query string; the handler finds it as `c.req.valid('query')`. Answers 422 itself. */
export function query<Schema extends z.ZodType>(schema: Schema) {
  return zValidator('query', schema, (result, c) => {
    if (!result.success) return invalid(c, toProblems(result.error.issues, result.data, 'query'))
  })
}
