import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { sha256 } from '../../access/sha256.ts'
import type { KeyedRequest } from '../../jobs/keyed-request.ts'
import { MAX_KEY_LENGTH } from '../../jobs/limits.ts'
import type { EdgeEnv } from '../edge-env.ts'
import { invalid, refuse } from '../reply/refuse.ts'
import type { Fault } from '../reply/validation-error.ts'

const HEADER = 'Idempotency-Key'

/**
 * The JSON Schema of a key. Printable ASCII only: the runtime reads headers as UTF-8 and replaces every invalid byte with
 * the same character, so two different keys could look alike and the second report would be taken for a repeat.
 */
export const IDEMPOTENCY_KEY = {
  type: 'string',
  minLength: 1,
  maxLength: MAX_KEY_LENGTH,
  pattern: `^[ -~]{1,${MAX_KEY_LENGTH}}$`,
} as const

const ALLOWED = new RegExp(IDEMPOTENCY_KEY.pattern)

/**
 * Sets `c.var.keyedRequest` from the `Idempotency-Key` header; null without one. Must come after `jsonBody`, which reads
 * the body. The same key in two scopes is two keys.
 *
 * HTTP strips blanks around a header's value and joins repeated headers with ", ". The key is the result.
 */
export function takeKey(scope: string) {
  return createMiddleware<EdgeEnv>(async (c, next) => {
    const key = c.req.header(HEADER)
    const fault = key === undefined ? undefined : faultOf(key)
    if (fault !== undefined) return refuse(c, invalid([{ ...fault, loc: ['header', HEADER], input: key }]))
    c.set('keyedRequest', key === undefined ? null : await keyedRequest(c, `${scope} ${key}`))
    return await next()
  })
}

async function keyedRequest(c: Context, key: string): Promise<KeyedRequest> {
  return { key, fingerprint: await sha256(await c.req.arrayBuffer()) }
}

function faultOf(key: string): Fault | undefined {
  const { minLength, maxLength, pattern } = IDEMPOTENCY_KEY
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
