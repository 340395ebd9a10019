import { createMiddleware } from 'hono/factory'
import { sha256 } from '../access/sha256.ts'
import type { EdgeEnv } from './edge-env.ts'
import { type Fault, invalid } from './validation-error.ts'

const HEADER = 'Idempotency-Key'

/**
 * What a key may be, as a JSON Schema: printable ASCII. The runtime reads headers as UTF-8 and turns all bytes that are
 * not into the same character, so two different keys would look alike, and the second report would pass for a retry.
 */
export const RETRY_KEY = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[ -~]{1,255}$' } as const

const ALLOWED = new RegExp(RETRY_KEY.pattern)

/**
 * Sets `c.var.retry` from the `Idempotency-Key` header: what tells a retry from a new request, null without the header.
 * `endpoint` keeps the same key apart for different endpoints. Comes after `jsonBody`.
 *
 * In HTTP, blanks around a header's value are not part of it, and several headers of one name are one, joined by ", ":
 * that is the key then.
 */
export function idempotent(endpoint: string) {
  return createMiddleware<EdgeEnv>(async (c, next) => {
    const key = c.req.header(HEADER)
    const fault = key === undefined ? undefined : faultOf(key)
    if (fault !== undefined) return invalid(c, [{ ...fault, loc: ['header', HEADER], input: key }])
    c.set(
      'retry',
      key === undefined
        ? null
        : { key: `${endpoint} ${key}`, fingerprint: await sha256(await c.req.arrayBuffer()) },
    )
    return await next()
  })
}

function faultOf(key: string): Fault | undefined {
  const { minLength, maxLength, pattern } = RETRY_KEY
  if (key.length < minLength) {
    const msg = 'String should have at least 1 character'
    return { type: 'string_too_short', msg, ctx: { min_length: minLength } }
  }
  if (key.length > maxLength) {
    const msg = `String should have at most ${maxLength} characters`
    return { type: 'string_too_long', msg, ctx: { max_length: maxLength } }
  }
  if (ALLOWED.test(key)) return undefined
  return {
    type: 'string_pattern_mismatch',
    msg: `String should match pattern '${pattern}'`,
    ctx: { pattern },
  }
}
