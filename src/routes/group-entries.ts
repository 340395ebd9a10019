import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { refuse } from '../http/refuse.ts'
import type { EntryGroup } from '../jobs/entry-page.ts'

/** `GET /api/jobs/{job_id}/entry-groups`: how many errors and warnings there are of each type. */
export const groupEntries = new Hono<EdgeEnv>().get(
  '/api/jobs/:job_id/entry-groups',
  authenticate,
  allow('job:read'),
  async (c) => {
    const reply = await askJob(c, (object, key) => object.groups(key))
    if (!reply.ok) return await refuse(c, reply)
    return c.json({ errors: reply.error.map(present), warnings: reply.warning.map(present) })
  },
)

function present({ errorType, count }: EntryGroup) {
  return { error_type: errorType, count }
}
