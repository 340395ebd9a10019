import { z } from 'zod'
import { boolean, field, integer, type Reading, text } from '../http/body/fields.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { JobSummaryResponse, nextCursor } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import { JOB_STATUSES, type Job, type JobStatus } from '../jobs/job.ts'
import type { JobFilter, Place } from '../jobs/job-filter.ts'
import { isJobId } from '../jobs/job-id.ts'
import { JOB_PAGE, MAX_LINE, MAX_PAGE_BYTES } from '../jobs/limits.ts'
import { presentSummary } from '../jobs/present-job.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'
import { databaseOf } from '../store/databases.ts'
import { listJobs as findJobs } from '../store/list-jobs.ts'
import { openStore } from '../store/store.ts'

/** More than stands around the jobs: the names of two fields, and a cursor of at most 144 characters. */
const ENVELOPE_BYTES = 256

export const ListQuery = z.object({
  status: field({ type: 'string', enum: JOB_STATUSES }, readStatuses)
    .optional()
    .describe('Only jobs in this status; may be given several times'),
  job_type: text(MAX_LINE).optional().describe('Only jobs of this type'),
  triggered_by: text(MAX_LINE).optional().describe('Only jobs started by this one'),
  created_after: field({ type: 'string', format: 'date-time' }, readTime)
    .optional()
    .describe('Only jobs created later than this'),
  created_before: field({ type: 'string', format: 'date-time' }, readTime)
    .optional()
    .describe('Only jobs created earlier than this'),
  stalled: boolean().optional().describe('If true, only running jobs that are flagged as stalled'),
  metadata: boolean().prefault(true).describe('If false, the jobs come without their metadata'),
  limit: integer({ least: 1, most: JOB_PAGE.most })
    .prefault(JOB_PAGE.default)
    .describe('Jobs on the page, at most; fewer if they are large'),
  cursor: field({ type: 'string' }, readPlace).optional().describe('The next_cursor of the page before'),
})

const JobListResponse = component(
  'JobListResponse',
  z
    .strictObject({
      jobs: z.array(JobSummaryResponse).describe('Newest first; at least one, unless no job is left'),
      next_cursor: nextCursor(),
    })
    .describe('One page of the jobs of an organization'),
)

export const listJobs = endpoint({
  id: 'list_jobs',
  method: 'get',
  path: '/api/jobs/',
  summary: 'List Jobs',
  description:
    'The jobs of the organization, newest first, in pages of at most 1 MB: a page of large jobs may hold fewer than its ' +
    '`limit`, so go on until `next_cursor` is null. Statuses are current; everything else is about a second behind.',
  permission: 'job:read',
  query: ListQuery,
  replies: { 200: { description: 'One page.', content: { 'application/json': JobListResponse } } },
  async handle(c) {
    const { organizationId, placement } = c.var
    if (organizationId === null) return refuse(c, { ok: false, reason: 'organization_not_found' })
    const wanted = c.req.valid('query')
    // From the primary: a replica may be behind, and would list a job under a status that it has left. A bookmark would
    // not help, since the caller who lists the jobs is rarely the worker whose reply carried it.
    const { jobs, hasMore } = await findJobs(
      openStore(databaseOf(c.env, placement.database)),
      organizationId,
      {
        filter: toFilter(wanted),
        after: wanted.cursor,
        limit: wanted.limit,
        bytes: MAX_PAGE_BYTES,
        withMetadata: wanted.metadata,
      },
    )
    const texts = takeFitting(jobs, wanted.metadata, Date.now())
    const last = hasMore || texts.length < jobs.length ? jobs[texts.length - 1] : undefined
    const next = last === undefined ? null : `${last.createdAt}.${last.jobId}`
    const body = `{"jobs":[${texts.join()}],"next_cursor":${JSON.stringify(next)}}`
    return c.body(body, 200, { 'Content-Type': 'application/json' })
  },
})

/**
 * The first of the jobs as JSON: as many as a page has room for, and always one, or paging would never get past it. D1
 * has weighed them already, but a control character is one byte there and six in JSON.
 */
function takeFitting(jobs: Job[], withMetadata: boolean, now: number): string[] {
  const texts: string[] = []
  let bytes = ENVELOPE_BYTES
  for (const job of jobs) {
    const { metadata, ...summary } = presentSummary(job, now)
    const text = JSON.stringify(withMetadata ? { ...summary, metadata } : summary)
    bytes += utf8Bytes(text) + 1
    if (bytes > MAX_PAGE_BYTES && texts.length > 0) break
    texts.push(text)
  }
  return texts
}

/** What a valid query narrows the list by. */
export function toFilter(query: z.output<typeof ListQuery>): JobFilter {
  return {
    statuses: query.status ?? [],
    ...(query.job_type !== undefined && { jobType: query.job_type }),
    ...(query.triggered_by !== undefined && { triggeredBy: query.triggered_by }),
    ...(query.created_after !== undefined && { createdAfter: query.created_after }),
    ...(query.created_before !== undefined && { createdBefore: query.created_before }),
    ...(query.stalled && { stalled: true as const }),
  }
}

function readPlace(value: unknown): Reading<Place> {
  const [time = '', jobId = '', ...more] = typeof value === 'string' ? value.split('.') : []
  if (/^[0-9]{1,15}$/.test(time) && isJobId(jobId) && more.length === 0)
    return { value: { createdAt: Number(time), jobId } }
  return { fault: { type: 'string_pattern_mismatch', msg: 'String should be the next_cursor of a page' } }
}

function readStatuses(value: unknown): Reading<JobStatus[]> {
  const names = [value].flat().flatMap((name) => String(name).split(','))
  const statuses = JOB_STATUSES.filter((status) => names.includes(status))
  if (names.every((name) => (JOB_STATUSES as readonly string[]).includes(name))) return { value: statuses }
  const expected = JOB_STATUSES.map((status) => `'${status}'`).join(', ')
  return { fault: { type: 'enum', msg: `Input should be ${expected}`, ctx: { expected } } }
}

/** A day or a time of ISO 8601; without an offset it is UTC. */
function readTime(value: unknown): Reading<number> {
  const [, day, time = '00:00:00', offset = 'Z'] =
    (typeof value === 'string' &&
      /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d:?\d\d)?$/i.exec(value)) ||
    []
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${offset.toUpperCase()}`)
  if (day !== undefined && isDay(day) && !Number.isNaN(at)) return { value: at }
  return { fault: { type: 'datetime_parsing', msg: 'Input should be a valid datetime' } }
}

/** `Date` takes 30 February for a day in March. */
function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day)
}
