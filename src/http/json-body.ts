import { zValidator } from '@hono/zod-validator'
import type { Context, Env, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import { parseJson } from './parse-json.ts'
import type { JsonFault } from './scan-json.ts'
import { invalid, MISSING, NOT_AN_OBJECT, type Problem, toProblems } from './validation-error.ts'

/** Bodies above this many bytes are refused before they are read. */
export const MAX_BODY_BYTES = 1024 * 1024

/** As the original reads it: one type, one subtype; case and parameters do not count. */
const JSON_TYPE = /^application\/(?:[^/]*\+)?json$/

type JsonInput<S extends z.ZodType> = { in: { json: z.input<S> }; out: { json: z.output<S> } }

const limitBody: MiddlewareHandler = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLarge })
const lossyUtf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

/**
 * Reads, parses and validates the body of a request; the handler finds it as `c.req.valid('json')`, and its bytes,
 * already read, as `c.req.arrayBuffer()`. Answers 413 (too large), 400 (no text) or 422 (everything else) itself.
 *
 *     app.post('/api/jobs', ...jsonBody(NewJobBody), (c) => …)
 *
 * An `optional` body may be empty: it then counts as `{}`.
 */
export function jsonBody<S extends z.ZodType>(schema: S, { optional = false } = {}) {
  const validate: MiddlewareHandler = zValidator(
    'json',
    schema as z.ZodType,
    (result, c) => {
      if (!result.success) return invalid(c, toProblems(result.error.issues, result.data, 'body'))
    },
    // Without this the validator takes zod's asynchronous path, and none of our fields needs it.
    { validationFunction: (_schema, value) => schema.safeParse(value) as z.ZodSafeParseResult<unknown> },
  )

  const readAndValidate: MiddlewareHandler<Env, string, JsonInput<S>> = async (c, next) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer())
    // bodyLimit believes a content-length; an adapter may hand on one that is not the body's.
    if (bytes.length > MAX_BODY_BYTES) return refuseLarge(c)
    if (bytes.length === 0) {
      if (!optional) return invalid(c, [bodyProblem(MISSING, null)])
      c.req.json = async () => ({}) as never
      claimJson(c)
      return validate(c, next)
    }

    const mediaType = c.req.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    if (!JSON_TYPE.test(mediaType)) return invalid(c, [bodyProblem(NOT_AN_OBJECT, lossyUtf8.decode(bytes))])

    const parsed = parseJson(bytes)
    if (!parsed.ok) {
      if (parsed.reason === 'not json') return invalid(c, [malformed(parsed)])
      return c.json({ detail: 'There was an error parsing the body' }, 400)
    }
    if (parsed.value === null) return invalid(c, [bodyProblem(MISSING, null)])

    c.req.json = async () => parsed.value as never
    // Hono knows fewer names of JSON than there are, and takes {} for the body of every other type.
    if (mediaType !== 'application/json') claimJson(c)
    if (!parsed.stray) return validate(c, next)
    return (await validate(c, async () => {})) ?? invalid(c, [malformed(parsed.stray)])
  }

  return [limitBody, readAndValidate] as const
}

function refuseLarge(c: Context): Response {
  return c.json({ detail: `The body is larger than ${MAX_BODY_BYTES} bytes` }, 413)
}

function bodyProblem(fault: typeof MISSING, input: unknown): Problem {
  return { ...fault, loc: ['body'], input }
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

function claimJson({ req }: Context): void {
  const headerOf = (name: string) => req.raw.headers.get(name) ?? undefined
  Object.defineProperty(req, 'header', {
    value: (name?: string) => {
      if (name === undefined) return Object.fromEntries(req.raw.headers)
      return name.toLowerCase() === 'content-type' ? 'application/json' : headerOf(name)
    },
  })
}
