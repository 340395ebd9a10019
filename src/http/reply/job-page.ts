import type { Context } from 'hono'
import { z } from 'zod'
import type { Job } from '../../jobs/job.ts'
import { type Place, SORTS, type Sort } from '../../jobs/job-filter.ts'
import { isJobId } from '../../jobs/job-id.ts'
import { JOB_PAGE, MAX_PAGE_BYTES } from '../../jobs/limits.ts'
import { presentSummary } from '../../jobs/present-job.ts'
import { utf8Bytes } from '../../jobs/utf8-bytes.ts'
import type { JobPage } from '../../store/list-jobs.ts'
import { boolean, field, integer, notOneOf, type Reading } from '../body/fields.ts'
import { component } from '../component.ts'
import { count, JobSummaryResponse, nextCursor } from './job-schemas.ts'

/** More than the JSON around the jobs takes: the field names, and a cursor of at most 144 characters. */
const ENVELOPE_BYTES = 256

/** The parameters of every page of jobs. */
export const pageFields = {
  sort: field({ type: 'string', enum: SORTS }, readSort)
    .prefault('newest')
    .describe('Which jobs come first: the newest or the oldest'),
  metadata: boolean().prefault(true).describe('If false, jobs are listed without their metadata'),
  limit: integer({ least: 1, most: JOB_PAGE.most })
    .prefault(JOB_PAGE.default)
    .describe('The most jobs on a page; there are fewer if they are large, or hard to find'),
  cursor: field({ type: 'string' }, readPlace).optional().describe('The next_cursor of the previous page'),
}

export const JobListResponse = component(
  'JobListResponse',
  z
    .strictObject({
      jobs: z
        .array(JobSummaryResponse)
        .describe(
          'In the order asked for. With q, label or late and other filters, a page may be empty and not the last',
        ),
      next_cursor: nextCursor(),
      search_is_complete: z
        .boolean()
        .optional()
        .describe(
          'With q. False: it begins so many types, labels or IDs that not all were looked up; give more of it',
        ),
      total: count().optional().describe('With include=total: the number of jobs that match, at most 10,000'),
      total_is_exact: z.boolean().optional().describe('False if there are, or may be, more than total'),
    })
    .describe('A page of the jobs of an organization'),
)

/** The reply with a page of jobs, and `more` fields of it. */
export function jobPage(c: Context, page: JobPage, withMetadata: boolean, more: object = {}): Response {
  const { texts, next } = toTexts(page, withMetadata, Date.now())
  const body = `{"jobs":[${texts.join()}],${JSON.stringify({ next_cursor: next, ...more }).slice(1)}`
  return c.body(body, 200, { 'Content-Type': 'application/json' })
}

/** The jobs of a page as JSON, as many as fit, and the cursor of the next page. */
function toTexts(
  { jobs, hasMore, reached }: JobPage,
  withMetadata: boolean,
  now: number,
): { texts: string[]; next: string | null } {
  const texts = takeFitting(jobs, withMetadata, now)
  const last =
    texts.length < jobs.length ? jobs[texts.length - 1] : hasMore ? (reached ?? jobs.at(-1)) : undefined
  return { texts, next: last === undefined ? null : `${last.createdAt}.${last.jobId}` }
}

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

function readPlace(value: unknown): Reading<Place> {
  const [time = '', jobId = '', ...more] = typeof value === 'string' ? value.split('.') : []
  if (/^[0-9]{1,15}$/.test(time) && isJobId(jobId) && more.length === 0)
    return { value: { createdAt: Number(time), jobId } }
  return { fault: { type: 'string_pattern_mismatch', msg: 'String should be the next_cursor of a page' } }
}

function readSort(value: unknown): Reading<Sort> {
  const sort = SORTS.find((each) => each === value)
  return sort === undefined ? notOneOf(SORTS) : { value: sort }
}
