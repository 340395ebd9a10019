import { Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { query } from '../http/query.ts'
import { refuse } from '../http/refuse.ts'
import type { EntriesReply, JobRefusal } from '../job-object/replies.ts'
import type { EntryKind } from '../jobs/job.ts'
import { MAX_PAGE, PageQuery } from './page-query.ts'

const JSON_TYPE = 'application/json'
const NDJSON = 'application/x-ndjson'

/** `GET /api/jobs/{job_id}/errors`: all errors that are kept, oldest first, in pages or as a stream of NDJSON. */
export const listErrors = listEntries('error', 'errors')
/** `GET /api/jobs/{job_id}/warnings`: the same of the warnings. */
export const listWarnings = listEntries('warning', 'warnings')

function listEntries(kind: EntryKind, name: 'errors' | 'warnings') {
  return new Hono<EdgeEnv>().get(
    `/api/jobs/:job_id/${name}`,
    authenticate,
    allow('job:read'),
    query(PageQuery),
    async (c) => {
      const { limit, cursor, error_type: errorType = null } = c.req.valid('query')
      const supports = [JSON_TYPE, NDJSON]
      const streamed = accepts(c, { header: 'Accept', supports, default: JSON_TYPE }) === NDJSON
      const pageAfter = (after: number) => {
        const page = { kind, after, limit: streamed ? MAX_PAGE : limit, errorType }
        return askJob(c, (object, key) => object.entries(key, page))
      }
      const reply = await pageAfter(cursor)
      if (!reply.ok) return await refuse(c, reply)
      if (streamed) return c.body(streamPages(reply, pageAfter), 200, { 'Content-Type': NDJSON })
      const next = reply.next === null ? 'null' : `"${reply.next}"`
      const body = `{"${name}":[${reply.texts.join()}],"next_cursor":${next}}`
      return c.body(body, 200, { 'Content-Type': JSON_TYPE })
    },
  )
}

/** One page in memory at a time: the next is asked for when the reader has taken the last. */
function streamPages(
  first: EntriesReply,
  pageAfter: (place: number) => Promise<EntriesReply | JobRefusal>,
): ReadableStream {
  const encoder = new TextEncoder()
  let page = first
  return new ReadableStream({
    async pull(stream) {
      for (let isEmpty = true; isEmpty; ) {
        // A page in one piece: each piece is a turn of its own for everybody else.
        if (page.texts.length > 0) stream.enqueue(encoder.encode(`${page.texts.join('\n')}\n`))
        if (page.next === null) return stream.close()
        // A page of one error type may be empty, and who brings nothing is not asked again: then go on.
        isEmpty = page.texts.length === 0
        const reply = await pageAfter(page.next)
        // The status went out long ago: cutting the stream off is the one way left to say that it is not whole.
        if (!reply.ok) return stream.error(new Error(`the entries went away: ${reply.reason}`))
        page = reply
      }
    },
  })
}
