import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import { MAX_BODY_BYTES } from '../../jobs/limits.ts'
import type { EdgeEnv } from '../edge-env.ts'
import { invalid, type Refusal, refuse } from '../reply/refuse.ts'
import { MISSING, NOT_AN_OBJECT, type Problem, toProblems } from '../reply/validation-error.ts'
import { parseJson } from './parse-json.ts'
import type { JsonFault } from './scan-json.ts'

/** As the original reads it: case and parameters do not count. */
const JSON_TYPE = /^application\/(?:[^/]*\+)?json$/

const limitBody: MiddlewareHandler = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLarge })
const lossyUtf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

/**
 * Reads, parses and validates the body of a request; the handler finds it as `c.req.valid('json')`, and its bytes as
 * `c.req.arrayBuffer()`. Answers 413 (too large), 400 (not text) or 422 (anything else) itself.
 *
 * Not zod-validator, which never sees malformed JSON and takes `{}` for a body of another type: both get errors of their
 * own here. An `optional` body may be empty and counts as `{}`.
 */
export function jsonBody(schema: z.ZodType, { optional = false } = {}) {
  const readBody: MiddlewareHandler<EdgeEnv> = async (c, next) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer())
    // bodyLimit believes the Content-Length, which need not be the body's.
    if (bytes.length > MAX_BODY_BYTES) return refuseLarge(c)
    const body = bytes.length === 0 && optional ? { ok: true as const, value: {} } : readJson(c, bytes)
    if (!body.ok) return refuse(c, body)
    const result = schema.safeParse(body.value)
    if (!result.success) return refuse(c, invalid(toProblems(result.error.issues, body.value, 'body')))
    // Only now: a value that is wrong in other ways too is told all of those, as the original does.
    if (body.stray) return refuse(c, invalid([malformed(body.stray)]))
    c.req.addValidatedData('json', result.data as object)
    return await next()
  }

  return [limitBody, readBody]
}

/** The value of a body; `stray` where it holds a number that JSON lacks, such as NaN. */
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
