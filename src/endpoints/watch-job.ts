import { z } from 'zod'
import { boolean } from '../http/body/fields.ts'
import { callJob } from '../http/call-job.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_SUMMARY } from '../http/reply/example-job.ts'
import { JobSummaryResponse } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'

/**
 * How often a stream checks its credential, in ms. A key last looked up 40 s ago is looked up in the background for the
 * next check, so a stream ends within a minute of a revocation.
 */
export const RECHECK = 10_000

const EVENT_STREAM = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }

const WatchQuery = z.object({
  messages: boolean()
    .prefault(false)
    .describe('If true, the messages of the job are sent too, as events named message'),
})

export const watchJob = endpoint({
  id: 'watch_job',
  method: 'get',
  path: '/api/jobs/{job_id}/events',
  summary: 'Watch Job',
  description:
    'Streams the changes of a job as server-sent events named `job`, at most ten per second. The ID of an event is the ' +
    'revision of the job; its data is the job without its errors and warnings. The last event is named `finished`. With `messages=true`, ' +
    'its messages come too, oldest first, as events named `message` without an ID, before the state that they led to.',
  permission: 'job:read',
  query: WatchQuery,
  replies: {
    200: {
      description: 'The events, until the job is finished.',
      content: {
        'text/event-stream': {
          schema: JobSummaryResponse,
          example: { ...REPORTED_SUMMARY, duration_seconds: 41.5 },
        },
      },
    },
    204: { description: 'The job is finished, and `Last-Event-ID` is its last event.' },
  },
  async handle(c) {
    const { messages } = c.req.valid('query')
    const lastEventId = c.req.header('Last-Event-ID') ?? ''
    const seen = /^[0-9]{1,15}$/.test(lastEventId) ? Number(lastEventId) : null
    const reply = await callJob(c, (object, address) => object.watch(address, seen, messages))
    if (!reply.ok) return refuse(c, reply)
    // 204 keeps an EventSource from reconnecting forever.
    if (reply.events === null) return c.body(null, 204)
    if (c.req.method === 'HEAD') {
      await reply.events.cancel()
      return c.body(null, 200, EVENT_STREAM)
    }
    const { readable, ended } = forwardWhile(reply.events, c.var.isStillValid, RECHECK)
    c.executionCtx.waitUntil(ended)
    return c.body(readable, 200, EVENT_STREAM)
  },
})

/**
 * Forwards a stream while `isStillValid`, which is called every `every` ms. The runtime does the forwarding, so none of our
 * code runs per event.
 */
export function forwardWhile(
  events: ReadableStream<Uint8Array>,
  isStillValid: () => Promise<boolean>,
  every: number,
): { readable: ReadableStream<Uint8Array>; ended: Promise<void> } {
  const { readable, writable } = new IdentityTransformStream()
  const stop = new AbortController()
  const timer = setInterval(async () => {
    if (!(await isStillValid())) stop.abort()
  }, every)
  const ended = events
    .pipeTo(writable, { signal: stop.signal, preventAbort: true })
    // Stopped by us or left by the reader. Close this side; the pipe cancels the other, which tells the job's object.
    .catch(() => writable.close().catch(() => {}))
    .finally(() => clearInterval(timer))
  return { readable, ended }
}
