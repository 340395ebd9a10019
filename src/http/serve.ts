import type { Hono, MiddlewareHandler } from 'hono'
import { jsonBody } from './body/json-body.ts'
import { takeKey } from './body/keyed-request.ts'
import { query } from './body/query.ts'
import { allow, authenticate } from './caller/authenticate.ts'
import type { EdgeEnv } from './edge-env.ts'
import type { Endpoint } from './endpoint.ts'

/** Mounts an endpoint behind the checks that it declares. Their order decides which refusal a request gets. */
export function serve(app: Hono<EdgeEnv>, endpoint: Endpoint): void {
  const path = endpoint.path.replace(/(?<=.)\/$/, '').replace(/\{(\w+)\}/g, ':$1')
  app.on([endpoint.method], [path], ...checksOf(endpoint), (c) => endpoint.handle(c))
}

function checksOf({ permission, body, query: schema, idempotent }: Endpoint): MiddlewareHandler[] {
  return [
    ...(permission === null ? [] : [authenticate, allow(permission)]),
    ...(body === undefined ? [] : jsonBody(body.schema, body)),
    ...(schema === undefined ? [] : [query(schema)]),
    ...(idempotent === undefined ? [] : [takeKey(idempotent)]),
  ]
}
