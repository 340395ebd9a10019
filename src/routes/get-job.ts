import { Hono } from 'hono'
import { askJob } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { jobJson } from '../http/job-json.ts'
import { refuse } from '../http/refuse.ts'

/** `GET /api/jobs/{job_id}`: the job as last acknowledged. */
export const getJob = new Hono<EdgeEnv>().get(
  '/api/jobs/:job_id',
  authenticate,
  allow('job:read'),
  async (c) => {
    const reply = await askJob(c, (object, key) => object.read(key))
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
)
