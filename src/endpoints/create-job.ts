import type { Context } from 'hono'
import { v7 as uuid } from 'uuid'
import { z } from 'zod'
import { sha256 } from '../access/sha256.ts'
import { dictionary, integer, text } from '../http/body/fields.ts'
import { labels } from '../http/body/labels.ts'
import { callObject } from '../http/call-job.ts'
import { chargeMiss } from '../http/caller/caller-budget.ts'
import { refusalToCreate } from '../http/caller/organization-usage.ts'
import { component } from '../http/component.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { endpoint } from '../http/endpoint.ts'
import { CREATED_JOB } from '../http/reply/example-job.ts'
import { jobJson } from '../http/reply/job-json.ts'
import { wholeJob } from '../http/reply/job-schemas.ts'
import { invalid, refuse } from '../http/reply/refuse.ts'
import { callbackUrlFault } from '../jobs/callback-url.ts'
import type { NewJob } from '../jobs/create-job.ts'
import { isJobId, jobIdOf } from '../jobs/job-id.ts'
import type { KeyedRequest } from '../jobs/keyed-request.ts'
import {
  DEADLINE_SECONDS,
  MAX_CALLBACK_URL,
  MAX_JOB_ID,
  MAX_LINE,
  MAX_METADATA_BYTES,
  STALL_SECONDS,
} from '../jobs/limits.ts'
import type { JobAddress } from '../jobs/placement.ts'
import { readSettings } from '../settings.ts'

export const NewJobRequest = component(
  'NewJobRequest',
  z
    .object({
      job_type: text(MAX_LINE).describe('The type of the job, for example enrichment or crawl'),
      total_items: integer().describe('The number of items to process; 0 if unknown'),
      metadata: dictionary(MAX_METADATA_BYTES).optional().describe('Data to keep with the job'),
      labels: labels()
        .nullable()
        .optional()
        .describe(
          'What to find the job by: up to 16 texts of at most 128 characters, with names of 1 to 64 characters. No control ' +
            'characters, and no colon in a name',
        ),
      parent_job_id: text(MAX_JOB_ID)
        .nullable()
        .optional()
        .describe('The job that this one is a part of: one of the same organization'),
      triggered_by: text(MAX_LINE).nullable().optional().describe('Who or what started the job'),
      stall_after_seconds: integer(STALL_SECONDS)
        .nullable()
        .optional()
        .describe('Seconds without a report after which the running job is flagged as stalled'),
      start_within_seconds: integer(DEADLINE_SECONDS)
        .nullable()
        .optional()
        .describe('Seconds from now within which the job should start; otherwise it is flagged as late'),
      finish_within_seconds: integer(DEADLINE_SECONDS)
        .nullable()
        .optional()
        .describe('Seconds from now within which the job should finish; otherwise it is flagged as late'),
      callback_url: text(MAX_CALLBACK_URL)
        .nullable()
        .optional()
        .describe('Where to post the finished job: an https URL at a public address'),
    })
    .describe('A job to create'),
)

export const createJob = endpoint({
  id: 'create_job',
  method: 'post',
  path: '/api/jobs/',
  summary: 'Create Job',
  description:
    'Creates a job with the status `pending`. Its worker then reports progress by its ID. It is refused with 429 while the ' +
    'organization has too many unfinished jobs, and with 403 while its storage is full: see `GET /api/usage`. Reports are ' +
    'never refused for either.',
  permission: 'job:create',
  body: {
    schema: NewJobRequest,
    example: {
      job_type: 'import',
      total_items: 3_201,
      labels: { supplier: 'acme' },
      triggered_by: 'nightly',
      stall_after_seconds: 300,
      finish_within_seconds: 3_600,
    },
  },
  idempotent: 'create',
  replies: { 200: wholeJob(CREATED_JOB) },
  async handle(c) {
    const newJob = toNewJob(c.req.valid('json'))
    const { callbackUrl } = newJob
    const fault = callbackUrl === null ? undefined : callbackUrlFault(callbackUrl, readSettings(c.env))
    if (fault !== undefined) {
      const loc = ['body', 'callback_url']
      return refuse(c, invalid([{ type: 'url_parsing', loc, msg: fault, input: callbackUrl }]))
    }
    const { organizationId, placement, keyedRequest } = c.var
    if (organizationId === null) return refuse(c, { ok: false, reason: 'organization_not_found' })
    const { parentJobId } = newJob
    const parent =
      parentJobId === null ? 'there' : await findParent(c, { organizationId, jobId: parentJobId, placement })
    if (parent === 'unavailable') return refuse(c, { ok: false, reason: 'unavailable' })
    if (parent === 'missing') {
      const loc = ['body', 'parent_job_id']
      const msg = 'Value error, the organization has no such job'
      return refuse(c, invalid([{ type: 'value_error', loc, msg, input: parentJobId }]))
    }
    const jobId = keyedRequest === null ? jobIdOf(uuid()) : await jobIdFor(organizationId, keyedRequest)
    const address = { organizationId, jobId, placement }
    const refusal = await refusalToCreate(c, organizationId)
    if (refusal !== undefined && !(await isRepeat(c, address))) return refuse(c, refusal)
    const reply = await callObject(c.env, address, (object) => object.create(address, newJob, keyedRequest))
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
})

/** The job described by a valid body. */
export function toNewJob(body: z.output<typeof NewJobRequest>): NewJob {
  return {
    jobType: body.job_type,
    totalItems: body.total_items,
    metadata: body.metadata ?? {},
    labels: body.labels ?? {},
    parentJobId: body.parent_job_id ?? null,
    triggeredBy: body.triggered_by ?? null,
    stallAfterSeconds: body.stall_after_seconds ?? null,
    startWithinSeconds: body.start_within_seconds ?? null,
    finishWithinSeconds: body.finish_within_seconds ?? null,
    callbackUrl: body.callback_url ?? null,
  }
}

/** Asks the parent itself: D1 may not have it yet. The caller is charged for one that does not exist, as for any other. */
async function findParent(
  c: Context<EdgeEnv>,
  address: JobAddress,
): Promise<'there' | 'missing' | 'unavailable'> {
  if (!isJobId(address.jobId)) return 'missing'
  const reply = await callObject(c.env, address, (object) => object.status(address))
  if (reply.ok) return 'there'
  if (reply.reason !== 'not_found') return 'unavailable'
  chargeMiss(c)
  return 'missing'
}

/** Whether the job was created before. A repeat gets its reply even if the organization may not create another job. */
async function isRepeat(c: Context<EdgeEnv>, address: JobAddress): Promise<boolean> {
  if (c.var.keyedRequest === null) return false
  const reply = await callObject(c.env, address, (object) => object.read(address))
  // No charge for the miss: the organization must not be barred from reporting that its jobs are finished.
  return reply.ok || reply.reason !== 'not_found'
}

/** The ID is derived from the organization and the key, so a repeated create reaches the object of the first one. */
async function jobIdFor(organizationId: string, { key }: KeyedRequest): Promise<string> {
  return jobIdOf((await sha256(JSON.stringify([organizationId, key]))).slice(0, 32))
}
