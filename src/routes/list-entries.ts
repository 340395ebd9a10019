import type { Context } from 'hono'
import { Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { query } from '../http/query.ts'
import { refuse } from '../http/refuse.ts'
import type { EntriesReply } from '../job-object/replies.ts'
import type { EntryKind } from '../jobs/job.ts'
import { MAX_PAGE, PageQuery } from './page-query.ts'

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
      const { limit, cursor } = c.req.valid('query')
      const streamed = accepts(c, { header: 'Accept', supports: [NDJSON], default: '' }) === NDJSON
      const page = (after: number) => askForPage(c, kind, after, streamed ? MAX_PAGE : limit)
      const reply = await page(cursor)
      if (!reply.ok) return await refuse(c, reply)
      if (streamed) return c.body(streamPages(reply, page), 200, { 'Content-Type': NDJSON })
      const next = reply.next === null ? 'null' : `"${reply.next}"`
      const body = `{"${name}":[${reply.texts.join()}],"next_cursor":${next}}`
      return c.body(body, 200, { 'Content-Type': 'application/json' })
    },
  )
}

function askForPage(
  c: Context<EdgeEnv>,
  kind: EntryKind,
  after: number,
  limit: number,
): Promise<EntriesReply> {
  return askJob(c, (object, key) => object.entries(key, kind, after, limit))
}

/** One page in memory at a time: the next is asked for when the reader has taken the last. */
function streamPages(first: EntriesReply, page: (after: number) => Promise<EntriesReply>): ReadableStream {
  const encoder = new TextEncoder()
  let reply: EntriesReply | undefined = first
  let after: number | null = null
  return new ReadableStream({
    async pull(stream) {
      reply ??= await page(after ?? 0)
      // The status went out long ago: cutting the stream off is the one way left to say that it is not whole.
      if (!reply.ok) return stream.error(new Error(`the entries went away: ${reply.reason}`))
      for (const text of reply.texts) stream.enqueue(encoder.encode(`${text}\n`))
      after = reply.next
      reply = undefined
      if (after === null) stream.close()
    },
  })
}
