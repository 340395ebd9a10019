import { z } from 'zod'
import { boolean, field, integer, type Reading, text } from '../http/body/fields.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_SUMMARY } from '../http/reply/example-job.ts'
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

/** More than the JSON around the jobs takes: two field names, and a cursor of at most 144 characters. */
const ENVELOPE_BYTES = 256

/** An ISO 8601 date or time, in UTC unless it has an offset. Published, so without flags. */
export const TIME = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?([Zz]|[+-]\d\d:?\d\d)?$/

export const ListQuery = z.object({
  status: field({ type: 'array', items: { type: 'string', enum: JOB_STATUSES } }, readStatuses)
    .optional()
    .describe('Only jobs with one of these statuses, repeated or separated by commas'),
  job_type: text(MAX_LINE).optional().describe('Only jobs of this type'),
  triggered_by: text(MAX_LINE).optional().describe('Only jobs with this triggered_by'),
  created_after: field({ type: 'string', pattern: TIME.source }, readTime)
    .optional()
    .describe('Only jobs created after this ISO 8601 date or time, in UTC unless it has an offset'),
  created_before: field({ type: 'string', pattern: TIME.source }, readTime)
    .optional()
    .describe('Only jobs created before this ISO 8601 date or time, in UTC unless it has an offset'),
  stalled: boolean().optional().describe('If true, only running jobs flagged as stalled'),
  metadata: boolean().prefault(true).describe('If false, jobs are listed without their metadata'),
  limit: integer({ least: 1, most: JOB_PAGE.most })
    .prefault(JOB_PAGE.default)
    .describe('The most jobs on a page; there are fewer if they are large'),
  cursor: field({ type: 'string' }, readPlace).optional().describe('The next_cursor of the previous page'),
})

const JobListResponse = component(
  'JobListResponse',
  z
    .strictObject({
      jobs: z.array(JobSummaryResponse).describe('Newest first; empty only if no job is left'),
      next_cursor: nextCursor(),
    })
    .describe('A page of the jobs of an organization'),
)

export const listJobs = endpoint({
  id: 'list_jobs',
  method: 'get',
  path: '/api/jobs/',
  summary: 'List Jobs',
  description:
    'Lists the jobs of the organization, newest first, in pages of at most 1 MB. A page of large jobs may have fewer than ' +
    'its `limit`, so continue until `next_cursor` is null. Statuses are current; everything else is about a second behind.',
  permission: 'job:read',
  query: ListQuery,
  queryExample: { status: 'in_progress', job_type: 'import', limit: '20' },
  replies: {
    200: {
      description: 'A page of jobs.',
      content: {
        'application/json': {
          schema: JobListResponse,
          example: { jobs: [{ ...REPORTED_SUMMARY, duration_seconds: 41.5 }], next_cursor: null },
        },
      },
    },
  },
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
 * The jobs that fit on a page, as JSON: at least one, or paging would never get past it. D1 has limited their bytes
 * already, but a control character is one byte there and six in JSON.
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

/** The filter described by a valid query. */
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

export function readTime(value: unknown): Reading<number> {
  const [, day, time = '00:00:00', offset = 'Z'] = (typeof value === 'string' && TIME.exec(value)) || []
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${offset.toUpperCase()}`)
  if (day !== undefined && isDay(day) && !Number.isNaN(at)) return { value: at }
  return { fault: { type: 'datetime_parsing', msg: 'Input should be a valid datetime' } }
}

/** Needed because `Date` turns February 30 into a day in March. */
function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day)
}
