import { Hono } from 'hono'
import { v7 as uuid } from 'uuid'
import { sha256 } from '../access/sha256.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { idempotent } from '../http/idempotent.ts'
import { jobJson } from '../http/job-json.ts'
import { jsonBody } from '../http/json-body.ts'
import { refuse } from '../http/refuse.ts'
import { jobObject } from '../job-object/address.ts'
import { jobIdOf } from '../jobs/job-id.ts'
import type { Retry } from '../jobs/retry.ts'
import { NewJobBody, toNewJob } from './new-job-body.ts'

/** `POST /api/jobs/`: creates a job, to be reported on by whoever may create jobs of the organisation. */
export const createJob = new Hono<EdgeEnv>().post(
  '/api/jobs',
  authenticate,
  allow('job:create'),
  ...jsonBody(NewJobBody),
  idempotent('create'),
  async (c) => {
    const { organizationId } = c.var
    if (organizationId === null) return c.json({ detail: 'Organization not found' }, 404)
    const { retry } = c.var
    const key = {
      organizationId,
      jobId: retry === null ? jobIdOf(uuid()) : await jobIdFor(organizationId, retry),
    }
    const order = toNewJob(c.req.valid('json'))
    const reply = await jobObject(c.env.JOBS, key).create(key, order, retry)
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
)

/** The id follows from the organisation and its key, so that a repeated create meets the object of the first one. */
async function jobIdFor(organizationId: string, retry: Retry): Promise<string> {
  return jobIdOf((await sha256(JSON.stringify([organizationId, retry.key]))).slice(0, 32))
}
