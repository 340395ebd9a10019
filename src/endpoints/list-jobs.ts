import { z } from 'zod'
import { boolean, field, notOneOf, type Reading, TOO_SHORT, text } from '../http/body/fields.ts'
import { readLabels, readLine } from '../http/body/labels.ts'
import { time } from '../http/body/time.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_SUMMARY } from '../http/reply/example-job.ts'
import { JobListResponse, jobPage, pageFields } from '../http/reply/job-page.ts'
import { refuse } from '../http/reply/refuse.ts'
import { JOB_STATUSES, type JobStatus } from '../jobs/job.ts'
import type { JobFilter } from '../jobs/job-filter.ts'
import { MAX_LINE, MAX_PAGE_BYTES, MAX_SEARCH } from '../jobs/limits.ts'
import { databaseOf } from '../store/databases.ts'
import { countJobs, listJobs as findJobs } from '../store/list-jobs.ts'
import { openStore } from '../store/store.ts'

export const ListQuery = z.object({
  status: field({ type: 'array', items: { type: 'string', enum: JOB_STATUSES } }, readStatuses)
    .optional()
    .describe('Only jobs with one of these statuses, repeated or separated by commas'),
  job_type: text(MAX_LINE).optional().describe('Only jobs of this type'),
  triggered_by: text(MAX_LINE).optional().describe('Only jobs with this triggered_by'),
  created_after: time()
    .optional()
    .describe('Only jobs created after this ISO 8601 date or time, in UTC unless it has an offset'),
  created_before: time()
    .optional()
    .describe('Only jobs created before this ISO 8601 date or time, in UTC unless it has an offset'),
  stalled: boolean().optional().describe('If true, only running jobs flagged as stalled'),
  late: boolean().optional().describe('If true, only jobs that have missed a deadline, finished or not'),
  label: field({ type: 'array', items: { type: 'string' } }, readLabels)
    .optional()
    .describe(
      'Only jobs with this label, as name:value; repeated: with all of them. The case of A to Z does not matter',
    ),
  q: field({ type: 'string', maxLength: MAX_SEARCH }, readSearch)
    .optional()
    .describe(
      'Only jobs that this is the beginning of: their ID, their type or the value of a label, or an ID in their metadata ' +
        'under a key that ends with _job_id. The case of A to Z matters in the ID only',
    ),
  include: field({ type: 'array', items: { type: 'string', enum: ['total'] } }, readInclude)
    .optional()
    .describe('total: also counts the jobs that match, up to 10,000'),
  ...pageFields,
})

export const listJobs = endpoint({
  id: 'list_jobs',
  method: 'get',
  path: '/api/jobs/',
  summary: 'List Jobs',
  description:
    'Lists the jobs of the organization, newest first, in pages of at most 1 MB. A page of large jobs may have fewer than ' +
    'its `limit`, so continue until `next_cursor` is null. Statuses are current; everything else is about a second behind. ' +
    'With `q` or `label`, filters by `status`, `job_type`, `triggered_by`, `stalled`, `late` and further labels look at 500 ' +
    'jobs for a page; with `late`, those by `job_type`, `triggered_by` and `stalled` do.',
  permission: 'job:read',
  query: ListQuery,
  queryExample: { status: 'in_progress', q: 'acm', include: 'total', limit: '20' },
  replies: {
    200: {
      description: 'A page of jobs.',
      content: {
        'application/json': {
          schema: JobListResponse,
          example: {
            jobs: [{ ...REPORTED_SUMMARY, duration_seconds: 41.5 }],
            next_cursor: null,
            search_is_complete: true,
            total: 1,
            total_is_exact: true,
          },
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
    const store = openStore(databaseOf(c.env, placement.database))
    const filter = toFilter(wanted)
    const [page, counted] = await Promise.all([
      findJobs(store, organizationId, {
        filter,
        sort: wanted.sort,
        after: wanted.cursor,
        limit: wanted.limit,
        bytes: MAX_PAGE_BYTES,
        withMetadata: wanted.metadata,
      }),
      wanted.include === undefined ? undefined : countJobs(store, organizationId, filter),
    ])
    return jobPage(c, page, wanted.metadata, {
      ...(filter.search !== undefined && { search_is_complete: page.isComplete }),
      ...(counted && { total: counted.total, total_is_exact: counted.isExact }),
    })
  },
})

/** The filter described by a valid query. */
export function toFilter(query: z.output<typeof ListQuery>): JobFilter {
  return {
    statuses: query.status ?? [],
    ...(query.job_type !== undefined && { jobType: query.job_type }),
    ...(query.triggered_by !== undefined && { triggeredBy: query.triggered_by }),
    ...(query.created_after !== undefined && { createdAfter: query.created_after }),
    ...(query.created_before !== undefined && { createdBefore: query.created_before }),
    ...(query.stalled && { stalled: true as const }),
    ...(query.late && { late: true as const }),
    ...(query.label !== undefined && { labels: query.label }),
    ...(query.q !== undefined && { search: query.q }),
  }
}

function readSearch(value: unknown): Reading<string> {
  return value === '' ? { fault: TOO_SHORT } : readLine(value, MAX_SEARCH)
}

function readInclude(value: unknown): Reading<'total'> {
  const names = [value].flat().flatMap((name) => String(name).split(','))
  return names.every((name) => name === 'total') ? { value: 'total' } : notOneOf(['total'])
}

function readStatuses(value: unknown): Reading<JobStatus[]> {
  const names = [value].flat().flatMap((name) => String(name).split(','))
  const statuses = JOB_STATUSES.filter((status) => names.includes(status))
  if (names.every((name) => (JOB_STATUSES as readonly string[]).includes(name))) return { value: statuses }
  return notOneOf(JOB_STATUSES)
}
