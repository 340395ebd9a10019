import { IDEMPOTENCY_KEY } from '../http/body/keyed-request.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { schemaOf, titleOf } from './json-schemas.ts'

/** Everything of a request beside its body. */
export function parametersOf({ path, permission, query, idempotent, replies }: Endpoint) {
  return [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => pathParameter(name)),
    ...(query === undefined ? [] : queryParameters(schemaOf(query))),
    ...(permission === null ? [] : CALLER),
    ...(idempotent === undefined ? [] : [KEY]),
    ...(304 in replies ? [IF_NONE_MATCH] : []),
    ...(204 in replies ? [LAST_EVENT_ID] : []),
  ]
}

function pathParameter(name: string) {
  return { in: 'path', name, required: true, schema: { title: titleOf(name), type: 'string' } }
}

function queryParameters({ properties = {} }: ReturnType<typeof schemaOf>) {
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as { description?: string }
    return { in: 'query', name, required: false, description, schema }
  })
}

/** A header or cookie that may be missing, as FastAPI writes it. */
function optional(
  where: 'header' | 'cookie',
  name: string,
  description: string,
  type: object = { type: 'string' },
) {
  const schema = { anyOf: [type, { type: 'null' }], title: titleOf(name) }
  return { in: where, name, required: false, description, schema }
}

/** Who is calling. The contract names these beside the security schemes. */
const CALLER = [
  optional('header', 'authorization', '`Bearer` and a server API key'),
  optional(
    'header',
    'X-Organization-ID',
    'The organization meant, one of the credential’s; needed where it has several',
  ),
  optional('cookie', 'stytch_session', 'A session, in place of a key'),
]

const KEY = optional(
  'header',
  'Idempotency-Key',
  'Printable ASCII. Sent again with the same body within 24 hours, the request is applied once and answered the same.',
  IDEMPOTENCY_KEY,
)
const IF_NONE_MATCH = optional('header', 'If-None-Match', 'The `ETag` of the reply that the caller has')
const LAST_EVENT_ID = optional('header', 'Last-Event-ID', 'The ID of the last event that the caller has seen')
