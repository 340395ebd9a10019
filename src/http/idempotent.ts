import { createMiddleware } from 'hono/factory'
import { sha256 } from '../access/sha256.ts'
import type { EdgeEnv } from './edge-env.ts'
import { invalid } from './validation-error.ts'

const HEADER = 'Idempotency-Key'
const MAX_LENGTH = 255

/**
 * Makes of the `Idempotency-Key` header, where one is sent, what tells a retry from a new request: `c.var.retry`, null
 * without the header. `endpoint` keeps the same key apart for different endpoints. Comes after `jsonBody`.
 */
export function idempotent(endpoint: string) {
  return createMiddleware<EdgeEnv>(async (c, next) => {
    const key = c.req.header(HEADER)
    if (key !== undefined && (key.length === 0 || key.length > MAX_LENGTH)) {
      const tooShort = key.length === 0
      return invalid(c, [
        {
          type: tooShort ? 'string_too_short' : 'string_too_long',
          loc: ['header', HEADER],
          msg: tooShort
            ? 'String should have at least 1 character'
            : `String should have at most ${MAX_LENGTH} characters`,
          input: key,
          ctx: tooShort ? { min_length: 1 } : { max_length: MAX_LENGTH },
        },
      ])
    }
    c.set(
      'retry',
      key === undefined
        ? null
        : { key: `${endpoint} ${key}`, fingerprint: await sha256(await c.req.arrayBuffer()) },
    )
    return await next()
  })
}
