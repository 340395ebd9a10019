import type { Context } from 'hono'
import { sha256 } from '../access/sha256.ts'
import { callJob } from '../http/call-job.ts'
import type { EdgeEnv } from '../http/edge-env.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_JOB } from '../http/reply/example-job.ts'
import { hasCurrent, jobJson, sayNotModified } from '../http/reply/job-json.ts'
import { JobWithRelativesResponse, notModified } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import { nameOf } from '../jobs/job.ts'
import { isJobId } from '../jobs/job-id.ts'
import { presentRelatives } from '../jobs/present-relatives.ts'
import { logErrorThrottled } from '../log.ts'
import { Moment } from '../moment.ts'
import { remember } from '../remember.ts'
import { databaseOf } from '../store/databases.ts'
import { findRelatives, type Relatives } from '../store/find-relatives.ts'
import { openStore } from '../store/store.ts'
import { within } from '../within.ts'

/** How long relatives are remembered, in ms, and of how many jobs: otherwise each read of a job would cost D1 a read. */
const REMEMBERED_FOR_MS = 1_000
const MAX_REMEMBERED = 1_000
/** How long the reply waits for D1 to say which relatives the job has, in ms. After that it goes out without them. */
const RELATIVES_TIMEOUT_MS = 1_000

/** What D1 last said, within this isolate; undefined if it said nothing. */
const known = new Map<string, { relatives: Relatives | undefined; foundAt: Moment }>()

const NO_CHILDREN = {
  count: 0,
  is_exact: true,
  by_status: {},
  total_items: 0,
  processed_items: 0,
  failed_items: 0,
}

export const getJob = endpoint({
  id: 'get_job',
  method: 'get',
  path: '/api/jobs/{job_id}',
  summary: 'Get Job',
  description:
    'Returns the job as its last acknowledged report left it, with its children and the jobs that are linked to it, which are ' +
    'about two seconds behind.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The job. If it does not hold all errors or warnings, a `Link` header leads to them.',
      content: {
        'application/json': {
          schema: JobWithRelativesResponse,
          example: { ...REPORTED_JOB, duration_seconds: 41.5, children: NO_CHILDREN, linked_from: [] },
        },
      },
    },
    304: notModified,
  },
  async handle(c) {
    const [reply, relatives] = await Promise.all([
      callJob(c, (object, address) => object.read(address)),
      relativesOf(c),
    ])
    if (!reply.ok) return refuse(c, reply)
    const shown = JSON.stringify(presentRelatives(relatives))
    const variant = await variantOf(relatives, shown)
    if (hasCurrent(c, reply.revision, variant)) return sayNotModified(c, reply.revision, variant)
    return jobJson(c, { ...reply, body: `${reply.body.slice(0, -1)},${shown.slice(1)}` }, variant)
  },
})

/** The relatives of the job in the path; undefined if D1 does not say in time. */
async function relativesOf(c: Context<EdgeEnv>): Promise<Relatives | undefined> {
  const { organizationId, placement } = c.var
  const jobId = c.req.param('job_id') ?? ''
  if (organizationId === null || !isJobId(jobId)) return undefined
  const key = { organizationId, jobId }
  const last = known.get(nameOf(key))
  if (last?.foundAt.isWithin(REMEMBERED_FOR_MS, Date.now())) return last.relatives
  const store = openStore(databaseOf(c.env, placement.database))
  const relatives = await within(RELATIVES_TIMEOUT_MS, findRelatives(store, key), undefined).catch(
    (error) => {
      logErrorThrottled('relatives_not_found', { request_id: c.var.requestId }, error)
      return undefined
    },
  )
  remember(known, nameOf(key), { relatives, foundAt: new Moment(Date.now()) }, MAX_REMEMBERED)
  return relatives
}

/** Tells replies with different relatives apart: none of them change the job's revision. */
async function variantOf(relatives: Relatives | undefined, shown: string): Promise<string> {
  if (relatives === undefined) return 'unknown'
  const isAlone = relatives.children.length === 0 && relatives.linkedFrom.length === 0
  return isAlone ? '' : (await sha256(shown)).slice(0, 16)
}
