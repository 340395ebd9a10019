import { Hono } from 'hono'
import type { EdgeEnv } from '../http/edge-env.ts'
import { openapiDocument } from '../openapi/document.ts'

/** `GET /openapi.json`: what the API takes and answers, for programs. Made when first asked for, once an isolate. */
let document: ReturnType<typeof openapiDocument> | undefined

export const openapi = new Hono<EdgeEnv>().get('/openapi.json', (c) => {
  document ??= openapiDocument()
  return c.json(document)
})
