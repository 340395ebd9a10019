import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { refuse } from '../http/refuse.ts'
import type { EntryGroup } from '../jobs/entry-page.ts'

/** `GET /api/jobs/{job_id}/entry-groups`: how many errors and warnings there are of the most frequent types. */
export const groupEntries = new Hono<EdgeEnv>().get(
  '/api/jobs/:job_id/entry-groups',
  authenticate,
  allow('job:read'),
  async (c) => {
    const reply = await askJob(c, (object, key) => object.groups(key))
    if (!reply.ok) return await refuse(c, reply)
    return c.json({
      errors: reply.error.groups.map(present),
      other_errors: reply.error.others,
      warnings: reply.warning.groups.map(present),
      other_warnings: reply.warning.others,
    })
  },
)

function present({ errorType, count }: EntryGroup) {
  return { error_type: errorType, count }
}
