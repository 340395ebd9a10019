import { z } from 'zod'
import { field, integer, type Reading, text } from '../http/body/fields.ts'
import { time } from '../http/body/time.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { count, nextCursor } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import { FINISHED_STATUSES } from '../jobs/job.ts'
import { MAX_LINE, MAX_STATS_BYTES, STATS_DAYS, STATS_PAGE } from '../jobs/limits.ts'
import { databaseOf } from '../store/databases.ts'
import { findStats, type StatsPlace } from '../store/job-stats.ts'
import { openStore } from '../store/store.ts'

const HOUR = 60 * 60 * 1_000
const CURSOR = /^([0-9]{1,15})\.([0-9]{1,9})$/

const StatsQuery = z.object({
  since: time().optional().describe('Only hours from the one with this ISO 8601 date or time on'),
  until: time().optional().describe('Only hours that begin before this ISO 8601 date or time'),
  job_type: text(MAX_LINE).optional().describe('Only jobs of this type'),
  limit: integer({ least: 1, most: STATS_PAGE.most })
    .prefault(STATS_PAGE.default)
    .describe('The most counts on a page; there are fewer if their job types are long'),
  cursor: field({ type: 'string', pattern: CURSOR.source }, readPlace)
    .optional()
    .describe('The next_cursor of the previous page'),
})

const JobCountResponse = component(
  'JobCountResponse',
  z
    .strictObject({
      hour: z.string().describe('The beginning of the hour, in ISO 8601'),
      job_type: z.string().describe('The type of the jobs'),
      status: z.enum(FINISHED_STATUSES).describe('How they ended'),
      jobs: count().describe('The number of jobs'),
    })
    .describe('The number of jobs of one type that ended in one hour, in one way'),
)

const StatsResponse = component(
  'StatsResponse',
  z
    .strictObject({
      stats: z.array(JobCountResponse).describe('By hour, the oldest first; then by type and status'),
      next_cursor: nextCursor(),
    })
    .describe('A page of the statistics of an organization'),
)

export const getStats = endpoint({
  id: 'get_stats',
  method: 'get',
  path: '/api/stats',
  summary: 'Get Stats',
  description:
    'Counts the jobs of the last 90 days by the hour in which they ended, their type and their final status. A job that has ' +
    'been deleted since stays counted. The counts are exact, and about a second behind.',
  permission: 'job:read',
  query: StatsQuery,
  queryExample: { job_type: 'import', limit: '1000' },
  replies: {
    200: {
      description: 'A page of counts.',
      content: {
        'application/json': {
          schema: StatsResponse,
          example: {
            stats: [{ hour: '2026-11-27T10:00:00.000Z', job_type: 'import', status: 'cancelled', jobs: 1 }],
            next_cursor: null,
          },
        },
      },
    },
  },
  async handle(c) {
    const { organizationId, placement } = c.var
    if (organizationId === null) return refuse(c, { ok: false, reason: 'organization_not_found' })
    const { since = 0, until, job_type: jobType, limit, cursor } = c.req.valid('query')
    const oldest = Date.now() - STATS_DAYS * 24 * HOUR
    const { counts, next } = await findStats(
      openStore(databaseOf(c.env, placement.database)),
      organizationId,
      {
        since: hourOf(Math.max(since, oldest)),
        until: until ?? Number.MAX_SAFE_INTEGER,
        jobType,
        after: cursor,
        limit,
        bytes: MAX_STATS_BYTES,
      },
    )
    return c.json({
      stats: counts.map(({ hour, jobType, status, jobs }) => ({
        hour: new Date(hour).toISOString(),
        job_type: jobType,
        status,
        jobs,
      })),
      next_cursor: next === undefined ? null : `${next.hour}.${next.skipped}`,
    })
  },
})

function hourOf(time: number): number {
  return time - (time % HOUR)
}

function readPlace(value: unknown): Reading<StatsPlace> {
  const [, hour, skipped] = (typeof value === 'string' && CURSOR.exec(value)) || []
  if (hour !== undefined) return { value: { hour: Number(hour), skipped: Number(skipped) } }
  return { fault: { type: 'string_pattern_mismatch', msg: 'String should be the next_cursor of a page' } }
}
