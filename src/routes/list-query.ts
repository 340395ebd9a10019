import { z } from 'zod'
import { boolean, field, integer, type Reading, text } from '../http/fields.ts'
import { JOB_STATUSES, type JobStatus } from '../jobs/job.ts'
import type { JobFilter, Place } from '../jobs/job-filter.ts'
import { isJobId } from '../jobs/job-id.ts'
import { MAX_LINE } from './report-body.ts'

/** The query of the list of jobs. */
export const ListQuery = z.object({
  status: field({ type: 'string', enum: JOB_STATUSES }, readStatuses)
    .optional()
    .describe('Only jobs of this status; may be given several times'),
  job_type: text(MAX_LINE).optional().describe('Only jobs of this type'),
  triggered_by: text(MAX_LINE).optional().describe('Only jobs started by this one'),
  created_after: field({ type: 'string', format: 'date-time' }, readTime)
    .optional()
    .describe('Only jobs created later than this'),
  created_before: field({ type: 'string', format: 'date-time' }, readTime)
    .optional()
    .describe('Only jobs created earlier than this'),
  stalled: boolean().optional().describe('True: only running jobs that have been silent for too long'),
  metadata: boolean().prefault(true).describe('False: the jobs come without their metadata'),
  limit: integer({ least: 1, most: 200 })
    .prefault(50)
    .describe('Jobs on the page, at most; fewer where they are large'),
  cursor: field({ type: 'string' }, readPlace)
    .optional()
    .describe('Where to go on: next_cursor of the page before'),
})

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

/** The cursor that goes on behind a job. */
export function cursorAfter({ createdAt, jobId }: Place): string {
  return `${createdAt}.${jobId}`
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
