import type { z } from 'zod'
import { endpoints } from '../../src/endpoints/all.ts'
import { type Endpoint, refusalsOf } from '../../src/http/endpoint.ts'
import { ErrorResponse, HTTPValidationError } from '../../src/http/reply/error-schemas.ts'

/** A reply as it came over HTTP. */
interface RawReply {
  status: number
  contentType: string | null
  text: string
}

/** Throws if an endpoint does not declare such a reply, down to the last key. The pages declare nothing. */
export function checkReply(method: string, path: string, { status, contentType, text }: RawReply): void {
  const { pathname } = new URL(`http://edge${path}`)
  if (method === 'OPTIONS' || /^\/(\/?$|dashboard\/|docs(\/|$)|llms)/.test(pathname)) return
  const schema = schemaOf(method, pathname, status, contentType)
  if (schema === null || method === 'HEAD') {
    if (text !== '') throw new Error(`${method} ${pathname} declares no body for ${status}: ${text}`)
    return
  }
  for (const item of itemsOf(contentType, text)) {
    const { error } = schema.safeParse(JSON.parse(item))
    if (error)
      throw new Error(`${method} ${pathname} ${status} is not as declared: ${error.message}\n${item}`)
  }
}

/** The declared schema of a reply; null for a reply without a body. */
function schemaOf(
  method: string,
  path: string,
  status: number,
  contentType: string | null,
): z.ZodType | null {
  const atPath = endpoints.filter((endpoint) => patternOf(endpoint).test(path))
  const endpoint = atPath.find((each) => each.method === (method === 'HEAD' ? 'get' : method.toLowerCase()))
  if (endpoint === undefined) {
    const expected = atPath.length > 0 ? 405 : 404
    if (status !== expected) throw new Error(`${method} ${path} is no endpoint: ${status}, not ${expected}`)
    return ErrorResponse
  }
  const declared = endpoint.replies[status as 200]
  if (declared !== undefined) {
    if (declared.content === undefined) return null
    const [media = ''] = (contentType ?? '').split(';')
    const schema = declared.content[media]?.schema
    if (schema === undefined) throw new Error(`${endpoint.id} does not declare ${status} as ${contentType}`)
    return schema
  }
  if (!(refusalsOf(endpoint) as number[]).includes(status))
    throw new Error(`${endpoint.id} does not declare the status ${status}`)
  return status === 422 ? HTTPValidationError : ErrorResponse
}

function patternOf({ path }: Endpoint): RegExp {
  return new RegExp(`^${path.replace(/\/$/, '').replace(/\{\w+\}/g, '[^/]+')}/?$`)
}

/** The JSON texts of a body: the lines of NDJSON, the data of events, CSV as one string, or the whole body. */
function itemsOf(contentType: string | null, text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '')
  if (contentType === 'application/x-ndjson') return lines
  if (contentType === 'text/event-stream')
    return lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length))
  return [contentType?.startsWith('text/csv') ? JSON.stringify(text) : text]
}
