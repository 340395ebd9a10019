import { Hono } from 'hono'
import { v7 as uuid } from 'uuid'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { jobJson } from '../http/job-json.ts'
import { jsonBody } from '../http/json-body.ts'
import { refuse } from '../http/refuse.ts'
import { jobObject } from '../job-object/address.ts'
import { jobIdOf } from '../jobs/job-id.ts'
import { NewJobBody, toNewJob } from './new-job-body.ts'

/** `POST /api/jobs/`: creates a job, to be reported on by whoever may create jobs of the organisation. */
export const createJob = new Hono<EdgeEnv>().post(
  '/api/jobs',
  authenticate,
  allow('job:create'),
  ...jsonBody(NewJobBody),
  async (c) => {
    const { organizationId } = c.var
    if (organizationId === null) return c.json({ detail: 'Organization not found' }, 404)
    const key = { organizationId, jobId: jobIdOf(uuid()) }
    const reply = await jobObject(c.env.JOBS, key).create(key, toNewJob(c.req.valid('json')))
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
)
