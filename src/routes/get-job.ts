import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { hasCurrent, jobJson, notModified } from '../http/job-json.ts'
import { refuse } from '../http/refuse.ts'

/** `GET /api/jobs/{job_id}`: the job as last acknowledged. */
export const getJob = new Hono<EdgeEnv>().get(
  '/api/jobs/:job_id',
  authenticate,
  allow('job:read'),
  async (c) => {
    const reply = await askJob(c, (object, key) => object.read(key))
    if (!reply.ok) return await refuse(c, reply)
    return hasCurrent(c, reply.job) ? notModified(c, reply.job) : jobJson(c, reply)
  },
)
