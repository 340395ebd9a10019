import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { refuse } from '../http/refuse.ts'

/** How often a stream looks whether its credential still holds, in ms. */
const RECHECK = 30_000

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
    return c.body(reply.events.pipeThrough(whileValid(c.var.isStillValid)), 200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
    })
  },
)

/** Passes the stream on while the credential that asked for it holds. Heartbeats see to it that it is looked at in time. */
function whileValid(isStillValid: () => Promise<boolean>): TransformStream<Uint8Array, Uint8Array> {
  let checkedAt = Date.now()
  return new TransformStream({
    async transform(chunk, stream) {
      if (Date.now() - checkedAt >= RECHECK) {
        checkedAt = Date.now()
        if (!(await isStillValid())) return stream.terminate()
      }
      stream.enqueue(chunk)
    },
  })
}
