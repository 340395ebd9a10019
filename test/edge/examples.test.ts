import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { drizzle } from 'drizzle-orm/d1'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { endpoints } from '../../src/endpoints/all.ts'
import { describe as describeApi } from '../../src/openapi/describe.ts'
import { saveWebhookSecret } from '../../src/store/webhook-secrets.ts'
import { checkReply } from './check-reply.ts'
import { aCaller, succeeded } from './fixtures.ts'
import { startEdge } from './harness.ts'

/** Replays the examples of the published description, each for a job of its own. */

interface Operation {
  operationId: string
  parameters: { in: string; name: string; example?: unknown }[]
  requestBody?: { content: Record<string, { example: unknown }> }
  responses: Record<string, { content?: Record<string, { example: unknown }> }>
}

interface Example {
  /** The operation, and the media type of the reply. */
  name: string
  id: string
  method: string
  path: string
  /** With its question mark. */
  search: string
  body: unknown
  media: string
  reply: unknown
}

const { paths } = describeApi(endpoints)
const examples = Object.entries(paths as Record<string, Record<string, Operation>>).flatMap(
  ([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => examplesOf(path, method, operation)),
)

function examplesOf(path: string, method: string, operation: Operation): Example[] {
  const { operationId: id, parameters, requestBody, responses } = operation
  const query = parameters.flatMap(({ in: where, name, example }) =>
    where === 'query' && example !== undefined ? [[name, String(example)]] : [],
  )
  const filled = parameters.reduce(
    (sum, { in: where, name, example }) =>
      where === 'path' && name !== 'job_id' ? sum.replace(`{${name}}`, String(example)) : sum,
    path,
  )
  return Object.entries(responses[200]?.content ?? {}).map(([media, { example }]) => ({
    name: `${id} as ${media}`,
    id,
    method: method.toUpperCase(),
    path: filled,
    search: query.length > 0 ? `?${new URLSearchParams(query)}` : '',
    body: requestBody?.content['application/json']?.example,
    media,
    reply: example,
  }))
}

const exampleOf = (id: string) => examples.find((each) => each.id === id)

let edge: Edge
/** Takes finished jobs. */
let receiver: Server
beforeAll(async () => {
  receiver = createServer((request, response) => request.resume().on('end', () => response.end()))
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  edge = await startEdge({ bindings: { ALLOW_LOOPBACK_CALLBACKS: true } })
})
afterAll(async () => {
  await edge?.dispose()
  receiver?.close()
})

/** A caller with the job that an example tells of. */
async function aCallerFor({ id }: Example) {
  const caller = await aCaller(edge)
  if (id === 'create_job') return { ...caller, jobId: '' }
  let newJob = exampleOf('create_job')?.body as object
  if (id === 'list_job_deliveries') {
    const { port } = receiver.address() as AddressInfo
    newJob = { ...newJob, callback_url: `http://127.0.0.1:${port}/hooks/jobs` }
    const secret = `whsec_${btoa('a secret of 32 bytes, no more...')}`
    await saveWebhookSecret(drizzle(await edge.d1()), caller.org, secret, Date.now())
  }
  const { job_id: jobId } = succeeded(await caller.post('/api/jobs/', newJob)).body
  if (id === 'list_job_children')
    succeeded(await caller.post('/api/jobs/', { ...newJob, parent_job_id: jobId }))
  if (id === 'report_job_progress') return { ...caller, jobId }
  succeeded(await caller.post(`/api/jobs/${jobId}/progress`, exampleOf('report_job_progress')?.body))
  // Only what has finished is delivered, and counted across jobs.
  if (id === 'list_job_deliveries' || id === 'get_stats' || id === 'group_errors')
    succeeded(await caller.post(`/api/jobs/${jobId}/cancel`))
  return { ...caller, jobId }
}

/** Sends the request of an example, and returns the reply; of a stream, its first item. */
async function send(
  { method, path, search, body, media }: Example,
  key: string,
  jobId: string,
): Promise<unknown> {
  const target = path.replace('{job_id}', jobId)
  const response = await fetch(`${edge.url}${target}${search}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, Accept: media, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('Content-Type')?.split(';')[0]).toBe(media)
  let text = ''
  // A stream of events does not end before its job. Leaving the loop cancels it.
  for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(
    new TextDecoderStream('utf-8', { ignoreBOM: true }),
  )) {
    text += chunk
    if (media === 'text/event-stream' && text.includes('\n\n')) break
  }
  checkReply(method, target, { status: 200, contentType: media, text })
  if (media === 'text/csv') return text
  return JSON.parse(media === 'text/event-stream' ? (/^data: (.*)$/m.exec(text)?.[1] ?? '') : text)
}

/** A reply without what differs each time: IDs, times, durations and where finished jobs are posted. */
function withoutChance(reply: unknown): unknown {
  return JSON.parse(JSON.stringify(reply), (key, value) => {
    if (key === 'duration_seconds' && typeof value === 'number') return 'some seconds'
    if (key === 'callback_url' && typeof value === 'string') return 'a URL'
    if (typeof value !== 'string') return value
    if (/^job_[0-9a-f]{32}$/.test(value)) return 'an ID'
    return value.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'a time')
  })
}

test('Every operation has an example', () => {
  expect(new Set(examples.map(({ id }) => id))).toEqual(new Set(endpoints.map(({ id }) => id)))
  for (const { name, media, reply } of examples)
    expect(reply, name).toBeTypeOf(media === 'text/csv' ? 'string' : 'object')
  for (const { id, body } of endpoints) expect(exampleOf(id)?.body === undefined, id).toBe(body === undefined)
})

describe.concurrent('The edge answers as documented', () => {
  test.each(examples)('$name', async (example) => {
    const { key, jobId } = await aCallerFor(example)
    const replay = async () => {
      const reply = withoutChance(await send(example, key, jobId))
      const documented = withoutChance(example.reply)
      // The description's own example is an excerpt of it.
      if (example.id === 'openapi') expect(reply).toMatchObject(documented as object)
      else expect(reply).toEqual(documented)
    }
    // D1 is a second behind, and a delivery takes a moment. What changes a job is sent once.
    if (example.method === 'GET') await vi.waitFor(replay, { timeout: 10_000, interval: 100 })
    else await replay()
  })
})
