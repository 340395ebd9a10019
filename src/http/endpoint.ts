import type { Context, Input } from 'hono'
import type { z } from 'zod'
import type { Permission } from '../access/caller.ts'
import type { EdgeEnv } from './edge-env.ts'

/** A reply with a body in one or more media types, or one without a body. */
export interface ReplyContent {
  /** Markdown for the description. */
  description: string
  /** By media type. A stream has the schema and the example of one item: a line of NDJSON, the data of an event. */
  content?: Record<string, ReplyBody>
}

interface ReplyBody {
  schema: z.ZodType
  /** What the edge answers to the example of the request. Published, and replayed by test/edge/examples.test.ts. */
  example: unknown
}

/** A header, with its JSON Schema. */
interface HeaderContent {
  description: string
  schema: { type: string }
}

/** Statuses of refusals that do not follow from an endpoint's other fields: see `refusalsOf`. */
type OwnRefusal = 409

/** An endpoint. The same values check its requests and describe them, so the two cannot disagree. */
export interface Endpoint<Sent extends Input = Input> {
  /** The `operationId`: generated clients name their methods after it. */
  id: string
  method: 'get' | 'post'
  /** As OpenAPI writes it: `/api/jobs/{job_id}`. */
  path: `/${string}`
  /** Values of the parts of the path in the example of the request, but for the ID of a job. */
  pathExample?: Record<string, string>
  summary: string
  /** Markdown. `describe` adds the permission. */
  description: string
  /** The permission that the caller needs; null: no credential is needed. */
  permission: Permission | null
  /** The JSON body. An optional one may be empty and counts as `{}`. The example is published, and must be valid. */
  body?: { schema: z.ZodType; example: object; optional?: true }
  /** Each field is a query parameter. */
  query?: z.ZodObject
  /** Values of parameters in the example of the request. */
  queryExample?: Record<string, string>
  /** Takes an `Idempotency-Key`: see `c.var.keyedRequest`. This scope is stored with each key and must never change. */
  idempotent?: 'create' | 'report'
  replies: Partial<Record<200 | 204 | 304, ReplyContent>>
  refusals?: OwnRefusal[]
  /** Headers that all `replies` and `refusals` have, by name. */
  headers?: Record<string, HeaderContent>
  // A method, not a property: its parameter is bivariant, so endpoints with different bodies fit into one list.
  handle(c: Context<EdgeEnv, string, Sent>): Response | Promise<Response>
}

/** The validated parts of a request, as Hono's `c.req.valid` types them. */
interface SentBy<Body extends z.ZodType, Query extends z.ZodObject> {
  out: { json: z.output<Body>; query: z.output<Query> }
}

/** Defines an endpoint. Its handler gets the types of its body and query. */
export function endpoint<Body extends z.ZodType = z.ZodNever, Query extends z.ZodObject = z.ZodObject>(
  definition: Endpoint<SentBy<Body, Query>> & {
    body?: { schema: Body }
    query?: Query
  },
): Endpoint {
  return definition
}

/** The statuses that an endpoint refuses with: those of its checks, and its own. */
export function refusalsOf({
  permission,
  body,
  query,
  idempotent,
  refusals = [],
}: Endpoint): RefusalStatus[] {
  const isChecked = body !== undefined || query !== undefined || idempotent !== undefined
  const statuses: RefusalStatus[] = [
    ...(permission === null ? [] : ([400, 401, 403, 404, 429, 503] as const)),
    ...(body === undefined ? [] : ([413] as const)),
    ...(isChecked ? ([422] as const) : []),
    ...refusals,
  ]
  return statuses.toSorted((a, b) => a - b)
}

export type RefusalStatus = OwnRefusal | 400 | 401 | 403 | 404 | 413 | 422 | 429 | 503
