import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import { MAX_BODY_BYTES } from '../../jobs/limits.ts'
import type { EdgeEnv } from '../edge-env.ts'
import { invalid, type Refusal, refuse } from '../reply/refuse.ts'
import { MISSING, NOT_AN_OBJECT, type Problem, toProblems } from '../reply/validation-error.ts'
import { parseJson } from './parse-json.ts'
import type { JsonFault } from './scan-json.ts'

/** As in the original, case and parameters do not matter. */
const JSON_TYPE = /^application\/(?:[^/]*\+)?json$/

const limitBody: MiddlewareHandler = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLarge })
const lossyUtf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

/**
 * Reads, parses and validates the body of a request. The handler gets it from `c.req.valid('json')`, and its bytes from
 * `c.req.arrayBuffer()`. Refuses with 413 (too large), 400 (not text) or 422 (anything else). An `optional` body may be
 * empty and counts as `{}`.
 *
 * Not zod-validator: it never sees malformed JSON, and treats a body of another media type as `{}`. Here both have
 * their own errors.
 */
export function jsonBody(schema: z.ZodType, { optional = false } = {}) {
  const readBody: MiddlewareHandler<EdgeEnv> = async (c, next) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer())
    // bodyLimit trusts the Content-Length, which may be wrong.
    if (bytes.length > MAX_BODY_BYTES) return refuseLarge(c)
    const body = bytes.length === 0 && optional ? { ok: true as const, value: {} } : readJson(c, bytes)
    if (!body.ok) return refuse(c, body)
    const result = schema.safeParse(body.value)
    if (!result.success) return refuse(c, invalid(toProblems(result.error.issues, body.value, 'body')))
    // Checked last: if the value has other errors, those are reported instead, as in the original.
    if (body.stray) return refuse(c, invalid([malformed(body.stray)]))
    c.req.addValidatedData('json', result.data as object)
    return await next()
  }

  return [limitBody, readBody]
}

/** The value of a body. `stray` is set if it holds a number that JSON does not have, such as NaN. */
type JsonBody = { ok: true; value: unknown; stray?: JsonFault } | Refusal

function readJson(c: Context, bytes: Uint8Array): JsonBody {
  if (bytes.length === 0) return invalid([{ ...MISSING, loc: ['body'], input: null }])

  const mediaType = c.req.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!JSON_TYPE.test(mediaType))
    return invalid([{ ...NOT_AN_OBJECT, loc: ['body'], input: lossyUtf8.decode(bytes) }])

  const parsed = parseJson(bytes)
  if (!parsed.ok)
    return parsed.reason === 'not_json' ? invalid([malformed(parsed)]) : { ok: false, reason: 'not_text' }
  return parsed.value === null ? invalid([{ ...MISSING, loc: ['body'], input: null }]) : parsed
}

function refuseLarge(c: Context) {
  return refuse(c, { ok: false, reason: 'too_large' })
}

function malformed({ position, error }: JsonFault): Problem {
  return {
    type: 'json_invalid',
    loc: ['body', position],
    msg: 'JSON decode error',
    input: {},
    ctx: { error },
  }
}
