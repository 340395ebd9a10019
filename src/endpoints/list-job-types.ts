import { z } from 'zod'
import { field, integer, type Reading } from '../http/body/fields.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { count, nextCursor } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import { JOB_TYPE_PAGE, USUAL_JOBS } from '../jobs/limits.ts'
import { usualPace } from '../jobs/usual-pace.ts'
import { databaseOf } from '../store/databases.ts'
import { findJobTypes } from '../store/job-types.ts'
import { openStore } from '../store/store.ts'

const CURSOR = /^[0-9]{1,9}$/

const JobTypesQuery = z.object({
  limit: integer({ least: 1, most: JOB_TYPE_PAGE.most })
    .prefault(JOB_TYPE_PAGE.default)
    .describe('The most types on a page'),
  cursor: field({ type: 'string', pattern: CURSOR.source }, readCursor)
    .prefault('0')
    .describe('The next_cursor of the previous page'),
})

const measure = () => z.number().min(0).nullable()

const JobTypeResponse = component(
  'JobTypeResponse',
  z
    .strictObject({
      job_type: z.string().describe('The type'),
      jobs: count().describe(
        'The number of jobs that the other fields are of: the newest 100 that were completed',
      ),
      median_duration_seconds: measure().describe('Half of them took no longer; null if there are none'),
      p90_duration_seconds: measure().describe('Nine in ten of them took no longer'),
      median_rate_per_second: measure().describe('Half of them handled no more items a second'),
      p90_rate_per_second: measure().describe('Nine in ten of them handled no more items a second'),
    })
    .describe('The usual duration and rate of the jobs of one type'),
)

const JobTypesResponse = component(
  'JobTypesResponse',
  z
    .strictObject({ job_types: z.array(JobTypeResponse).describe('By name'), next_cursor: nextCursor() })
    .describe('A page of the job types of an organization'),
)

export const listJobTypes = endpoint({
  id: 'list_job_types',
  method: 'get',
  path: '/api/stats/job-types',
  summary: 'List Job Types',
  description:
    'Lists the types of the jobs that the organization has, with how long the newest 100 completed jobs of each took and how ' +
    'many items a second they handled. Failed and canceled jobs are left out: they often end early.',
  permission: 'job:read',
  query: JobTypesQuery,
  queryExample: { limit: '10' },
  replies: {
    200: {
      description: 'A page of types.',
      content: {
        'application/json': {
          schema: JobTypesResponse,
          example: {
            job_types: [
              {
                job_type: 'import',
                jobs: 0,
                median_duration_seconds: null,
                p90_duration_seconds: null,
                median_rate_per_second: null,
                p90_rate_per_second: null,
              },
            ],
            next_cursor: null,
          },
        },
      },
    },
  },
  async handle(c) {
    const { organizationId, placement } = c.var
    if (organizationId === null) return refuse(c, { ok: false, reason: 'organization_not_found' })
    const { limit, cursor: skipped } = c.req.valid('query')
    const store = openStore(databaseOf(c.env, placement.database))
    const { types, hasMore } = await findJobTypes(store, organizationId, { skipped, limit, runs: USUAL_JOBS })
    return c.json({
      job_types: types.map(({ jobType, runs }) => {
        const { jobs, duration, rate } = usualPace(runs, USUAL_JOBS)
        return {
          job_type: jobType,
          jobs,
          median_duration_seconds: duration.median,
          p90_duration_seconds: duration.p90,
          median_rate_per_second: rate.median,
          p90_rate_per_second: rate.p90,
        }
      }),
      next_cursor: hasMore ? String(skipped + types.length) : null,
    })
  },
})

function readCursor(value: unknown): Reading<number> {
  if (typeof value === 'string' && CURSOR.test(value)) return { value: Number(value) }
  return { fault: { type: 'string_pattern_mismatch', msg: 'String should be the next_cursor of a page' } }
}
