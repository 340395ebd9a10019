import { Hono } from 'hono'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { query } from '../http/query.ts'
import { presentSummary } from '../jobs/present-job.ts'
import { listJobs as findJobs } from '../store/list-jobs.ts'
import { openReplica } from '../store/store.ts'
import { cursorAfter, ListQuery, toFilter } from './list-query.ts'

/** `GET /api/jobs/`: the organisation's jobs, newest first, as D1 has them: a second behind their workers at most. */
export const listJobs = new Hono<EdgeEnv>().get(
  '/api/jobs',
  authenticate,
  allow('job:read'),
  query(ListQuery),
  async (c) => {
    const { organizationId } = c.var
    if (organizationId === null) return c.json({ detail: 'Organization not found' }, 404)
    const wanted = c.req.valid('query')
    const { limit } = wanted
    const store = openReplica(c.env.DB)
    // One more than asked for tells whether there is a next page.
    const found = await findJobs(store, organizationId, toFilter(wanted), wanted.cursor, limit + 1)
    const jobs = found.slice(0, limit)
    const last = found.length > limit ? jobs.at(-1) : undefined
    const now = Date.now()
    return c.json({
      jobs: jobs.map((job) => presentSummary(job, now)),
      next_cursor: last === undefined ? null : cursorAfter(last),
    })
  },
)
