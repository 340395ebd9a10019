import { Hono } from 'hono'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { query } from '../http/query.ts'
import type { Job } from '../jobs/job.ts'
import { MAX_PAGE_BYTES } from '../jobs/limits.ts'
import { presentSummary } from '../jobs/present-job.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'
import { listJobs as findJobs } from '../store/list-jobs.ts'
import { openReplica } from '../store/store.ts'
import { cursorAfter, ListQuery, toFilter } from './list-query.ts'

/** More than stands around the jobs: the names of two fields, and a cursor of at most 144 characters. */
const ENVELOPE_BYTES = 256

/**
 * `GET /api/jobs/`: the organization's jobs, newest first, as D1 has them: at most a second behind their workers. A page
 * ends early, with a cursor, where the next job would make it too large.
 */
export const listJobs = new Hono<EdgeEnv>().get(
  '/api/jobs',
  authenticate,
  allow('job:read'),
  query(ListQuery),
  async (c) => {
    const { organizationId } = c.var
    if (organizationId === null) return c.json({ detail: 'Organization not found' }, 404)
    const wanted = c.req.valid('query')
    const { jobs, hasMore } = await findJobs(openReplica(c.env.DB), organizationId, {
      filter: toFilter(wanted),
      after: wanted.cursor,
      limit: wanted.limit,
      bytes: MAX_PAGE_BYTES,
      withMetadata: wanted.metadata,
    })
    const texts = takeFitting(jobs, wanted.metadata, Date.now())
    const last = hasMore || texts.length < jobs.length ? jobs[texts.length - 1] : undefined
    const next = last === undefined ? null : cursorAfter(last)
    const body = `{"jobs":[${texts.join()}],"next_cursor":${JSON.stringify(next)}}`
    return c.body(body, 200, { 'Content-Type': 'application/json' })
  },
)

/**
 * The first of the jobs as JSON: as many as a page has room for, and always one, or paging would never get past it. D1
 * has weighed them already, but a control character is one byte there and six in JSON.
 */
function takeFitting(jobs: Job[], withMetadata: boolean, now: number): string[] {
  const texts: string[] = []
  let bytes = ENVELOPE_BYTES
  for (const job of jobs) {
    const { metadata, ...summary } = presentSummary(job, now)
    const text = JSON.stringify(withMetadata ? { ...summary, metadata } : summary)
    bytes += utf8Bytes(text) + 1
    if (bytes > MAX_PAGE_BYTES && texts.length > 0) break
    texts.push(text)
  }
  return texts
}
