import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { refuse } from '../http/refuse.ts'

/**
 * How often a stream looks whether its credential still holds, in ms. A key that is 40 s old is looked up in the
 * background, to be known by the next time: asked so often, a stream ends within a minute of a revocation.
 */
export const RECHECK = 10_000

const EVENT_STREAM = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }

/** `GET /api/jobs/{job_id}/events`: the job's states as they come, as server-sent events, to its end. */
export const watchJob = new Hono<EdgeEnv>().get(
  '/api/jobs/:job_id/events',
  authenticate,
  allow('job:read'),
  async (c) => {
    const lastEventId = c.req.header('Last-Event-ID') ?? ''
    const seen = /^[0-9]{1,15}$/.test(lastEventId) ? Number(lastEventId) : null
    const reply = await askJob(c, (object, key) => object.watch(key, seen))
    if (!reply.ok) return await refuse(c, reply)
    // What tells an EventSource, which else connects again and again, that nothing is to come any more.
    if (reply.events === null) return c.body(null, 204)
    if (c.req.method === 'HEAD') {
      await reply.events.cancel() // Nobody reads on.
      return c.body(null, 200, EVENT_STREAM)
    }
    const { readable, ended } = passOn(reply.events, c.var.isStillValid, RECHECK)
    c.executionCtx.waitUntil(ended)
    return c.body(readable, 200, EVENT_STREAM)
  },
)

/**
 * Passes a stream on for as long as `isStillValid` says so, which is asked every so many ms. The runtime does the passing
 * on: no code of ours runs for an event, however many watch.
 */
export function passOn(
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
    // Stopped, or left by its reader; in both cases this side closes, and the job's object is told by the other.
    .catch(() => writable.close().catch(() => {}))
    .finally(() => clearInterval(timer))
  return { readable, ended }
}
