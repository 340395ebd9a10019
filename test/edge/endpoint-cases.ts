import type { Edge } from '../../scripts/edge.ts'
import { endpoints } from '../../src/endpoints/all.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { UNKNOWN_ID } from './fixtures.ts'
import { call, type Reply } from './harness.ts'

/** An endpoint, or a file of the dashboard or the documents, as the suites over all endpoints call it. */
export interface Case {
  name: string
  method: string
  /** Only `{job_id}` is left open. */
  path: string
  /** Decides what a stranger is told: no such job, no such organization, or the same as anyone. */
  about: 'job' | 'organization' | 'nobody'
  permission: Endpoint['permission']
  /** A valid body; undefined for an endpoint without one. */
  body?: object
  isBodyOptional: boolean
  isIdempotent: boolean
  /** The names of the query's parameters. */
  query: string[]
  /** True if it streams events, which end only for a finished job. */
  ofFinished: boolean
}

const api = endpoints.map((endpoint): Case => {
  const method = endpoint.method.toUpperCase()
  return {
    name: `${method} ${endpoint.path}`,
    method,
    path: fillPath(endpoint),
    about: endpoint.path.includes('{job_id}')
      ? 'job'
      : endpoint.permission === null
        ? 'nobody'
        : 'organization',
    permission: endpoint.permission,
    ...(endpoint.body && { body: endpoint.body.example }),
    isBodyOptional: endpoint.body?.optional ?? false,
    isIdempotent: endpoint.idempotent !== undefined,
    query: Object.keys(endpoint.query?.shape ?? {}),
    ofFinished: 'text/event-stream' in (endpoint.replies[200]?.content ?? {}),
  }
})

const page = ['/', '/dashboard/app.js', '/docs', '/docs/api', '/llms.txt'].map(
  (path): Case => ({
    name: `GET ${path}`,
    method: 'GET',
    path,
    about: 'nobody',
    permission: null,
    isBodyOptional: false,
    isIdempotent: false,
    query: [],
    ofFinished: false,
  }),
)

export const cases: readonly Case[] = [...api, ...page]
export const apiCases: readonly Case[] = api

export function casesAbout(about: Case['about']): Case[] {
  return cases.filter((each) => each.about === about)
}

function fillPath({ path, pathExample = {} }: Endpoint): string {
  return path.replaceAll(/\{(\w+)\}/g, (part, name) => pathExample[name] ?? part)
}

export interface Asking {
  /** The job to ask about; without one, a job that does not exist. */
  id?: string
  /** The server API key; without one, only `headers` may hold a credential. */
  key?: string | null
  headers?: Record<string, string>
  /** Instead of the valid body: see `call`. */
  body?: unknown
  /** The query, with its question mark. */
  search?: string
  /** Ends the path with this. */
  slash?: '' | '/'
  /** Instead of the method of the endpoint. */
  method?: string
}

/** Calls an endpoint, with a valid request unless told otherwise. */
export function ask(edge: Pick<Edge, 'url'>, each: Case, asking: Asking): Promise<Reply> {
  const { id = UNKNOWN_ID, key = null, headers, search = '', method = each.method } = asking
  const body = 'body' in asking ? asking.body : each.body
  const slash = asking.slash ?? (each.path.endsWith('/') ? '/' : '')
  const path = each.path.replace('{job_id}', id).replace(/\/$/, '') + slash
  return call(edge, key, method, path + search, body, headers)
}
