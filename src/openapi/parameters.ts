import { IDEMPOTENCY_KEY } from '../http/body/keyed-request.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { CREATED_JOB } from '../http/reply/example-job.ts'
import { schemaOf, titleOf } from './json-schemas.ts'

/** The parameters of an endpoint: all of a request but its body. */
export function parametersOf({
  path,
  pathExample,
  permission,
  query,
  queryExample,
  idempotent,
  replies,
}: Endpoint) {
  return [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => pathParameter(name, pathExample)),
    ...(query === undefined ? [] : queryParameters(schemaOf(query), queryExample)),
    ...(permission === null ? [] : CALLER),
    ...(idempotent === undefined ? [] : [KEY]),
    ...(304 in replies ? [IF_NONE_MATCH] : []),
    ...(204 in replies ? [LAST_EVENT_ID] : []),
  ]
}

function pathParameter(name: string, examples: Record<string, string> = {}) {
  const schema = { title: titleOf(name), type: 'string' }
  return { in: 'path', name, required: true, example: examples[name] ?? CREATED_JOB.job_id, schema }
}

function queryParameters(
  { properties = {} }: ReturnType<typeof schemaOf>,
  examples: Record<string, string> = {},
) {
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as { description?: string; type?: string }
    const isList = schema.type === 'array'
    const repeated = isList ? { style: 'form', explode: true } : {}
    const text = examples[name]
    const value = isList ? [text] : schema.type === 'integer' ? Number(text) : text
    const example = text === undefined ? {} : { example: value }
    return { in: 'query', name, required: false, description, ...example, ...repeated, schema }
  })
}

/** An optional header or cookie, as FastAPI writes it. */
function optional(
  where: 'header' | 'cookie',
  name: string,
  description: string,
  type: object = { type: 'string' },
) {
  const schema = { anyOf: [type, { type: 'null' }], title: titleOf(name) }
  return { in: where, name, required: false, description, schema }
}

/** The credential and the organization. The contract lists these in addition to the security schemes. */
const CALLER = [
  optional('header', 'authorization', '`Bearer` and a server API key, or the token or JWT of a session'),
  optional(
    'header',
    'X-Organization-ID',
    'The organization of the request; required if the credential has several',
  ),
  optional('cookie', 'stytch_session', 'The token of a session, instead of the header'),
]

const KEY = optional(
  'header',
  'Idempotency-Key',
  'Printable ASCII. A request repeated with the same key and body within 24 hours is applied once and gets the same reply.',
  IDEMPOTENCY_KEY,
)
const IF_NONE_MATCH = optional('header', 'If-None-Match', 'The `ETag` of an earlier reply')
const LAST_EVENT_ID = optional('header', 'Last-Event-ID', 'The ID of the last event received')
