import { Hono } from 'hono'
import { v7 as uuid } from 'uuid'
import { sha256 } from '../access/sha256.ts'
import type { Env } from '../env.ts'
import { askObject } from '../http/ask-job.ts'
import { allow, authenticate } from '../http/authenticate.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { idempotent } from '../http/idempotent.ts'
import { jobJson } from '../http/job-json.ts'
import { jsonBody } from '../http/json-body.ts'
import { refuse } from '../http/refuse.ts'
import { invalid } from '../http/validation-error.ts'
import { callbackUrlFault } from '../jobs/callback-url.ts'
import { jobIdOf } from '../jobs/job-id.ts'
import type { KeyedRequest } from '../jobs/keyed-request.ts'
import { NewJobBody, toNewJob } from './new-job-body.ts'

/** `POST /api/jobs/`: creates a job, to be reported on by whoever may create jobs of the organisation. */
export const createJob = new Hono<EdgeEnv>().post(
  '/api/jobs',
  authenticate,
  allow('job:create'),
  ...jsonBody(NewJobBody),
  idempotent('create'),
  async (c) => {
    const order = toNewJob(c.req.valid('json'))
    const fault = order.callbackUrl === null ? undefined : callbackUrlFault(order.callbackUrl, rulesOf(c.env))
    if (fault !== undefined) {
      const loc = ['body', 'callback_url']
      return invalid(c, [{ type: 'url_parsing', loc, msg: fault, input: order.callbackUrl }])
    }
    const { organizationId } = c.var
    if (organizationId === null) return c.json({ detail: 'Organization not found' }, 404)
    const { retry } = c.var
    const key = {
      organizationId,
      jobId: retry === null ? jobIdOf(uuid()) : await jobIdFor(organizationId, retry),
    }
    const reply = await askObject(c.env, key, (object) => object.create(key, order, retry))
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
)

function rulesOf(env: Env) {
  return { allowLoopback: env.ALLOW_LOOPBACK_CALLBACKS }
}

/** The id follows from the organisation and its key, so that a repeated create meets the object of the first one. */
async function jobIdFor(organizationId: string, request: KeyedRequest): Promise<string> {
  return jobIdOf((await sha256(JSON.stringify([organizationId, request.key]))).slice(0, 32))
}
