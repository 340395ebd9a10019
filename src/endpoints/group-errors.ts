import { z } from 'zod'
import { time } from '../http/body/time.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_ERROR, REPORTED_WARNING } from '../http/reply/example-job.ts'
import { count } from '../http/reply/job-schemas.ts'
import { invalid, refuse } from '../http/reply/refuse.ts'
import { MAX_PERIOD_DAYS } from '../jobs/limits.ts'
import { databaseOf } from '../store/databases.ts'
import { type ErrorGroup, findErrorGroups, type Hours } from '../store/find-error-groups.ts'
import { openStore } from '../store/store.ts'

const HOUR = 3_600_000
const DEFAULT_HOURS = 24

const PeriodQuery = z.object({
  since: time()
    .optional()
    .describe('The beginning of the period, an ISO 8601 date or time; by default a day before its end'),
  until: time().optional().describe('Its end; by default now'),
})

const ErrorGroupResponse = component(
  'ErrorGroupResponse',
  z
    .strictObject({
      error_type: z.string().describe('The error type, cut to 200 characters'),
      entries: count().describe('The number of entries of this type'),
      jobs: count().describe('The number of jobs with such entries'),
      previous_entries: count().describe('The number of entries in the period before'),
      previous_jobs: count().describe('The number of jobs in the period before'),
    })
    .describe('An error type across jobs'),
)

const groups = () => z.array(ErrorGroupResponse)
const hour = () => z.string()

const ErrorGroupsResponse = component(
  'ErrorGroupsResponse',
  z
    .strictObject({
      since: hour().describe('The beginning of the period, in ISO 8601'),
      until: hour().describe('Its end, which is not part of it'),
      previous_since: hour().describe('The beginning of the period before, which ends where this one begins'),
      is_partial: z
        .boolean()
        .describe('Whether the oldest hours were left out, because the periods have too many types'),
      errors: groups().describe('The most frequent types of errors, most frequent first'),
      other_errors: count().describe('The number of errors that these do not count'),
      warnings: groups().describe('The most frequent types of warnings, most frequent first'),
      other_warnings: count().describe('The number of warnings that these do not count'),
    })
    .describe('The error types across the jobs that finished in a period'),
)

const EXAMPLE = { entries: 1, jobs: 1, previous_entries: 0, previous_jobs: 0 }

export const groupErrors = endpoint({
  id: 'group_errors',
  method: 'get',
  path: '/api/error-groups',
  summary: 'Group Errors',
  description:
    'Counts the errors and warnings of the jobs that finished in a period by type, and how many jobs had them: the 100 most ' +
    'frequent types of each, beside the figures of the period before, which is as long. The period is widened to whole hours, and ' +
    'has at most 31 days. Of a job with more than 500 entries of a kind, the first 500 are counted by type, and the rest as others.',
  permission: 'job:read',
  query: PeriodQuery,
  replies: {
    200: {
      description: 'The counts by type.',
      content: {
        'application/json': {
          schema: ErrorGroupsResponse,
          example: {
            since: '2026-11-26T11:00:00.000Z',
            until: '2026-11-27T11:00:00.000Z',
            previous_since: '2026-11-25T11:00:00.000Z',
            is_partial: false,
            errors: [{ error_type: REPORTED_ERROR.error_type, ...EXAMPLE }],
            other_errors: 0,
            warnings: [{ error_type: REPORTED_WARNING.error_type, ...EXAMPLE }],
            other_warnings: 0,
          },
        },
      },
    },
  },
  async handle(c) {
    const { organizationId, placement } = c.var
    if (organizationId === null) return refuse(c, { ok: false, reason: 'organization_not_found' })
    const hours = toHours(c.req.valid('query'), Date.now())
    const length = hours.to - hours.from
    if (length < 1 || length > MAX_PERIOD_DAYS * 24) {
      const msg = `The period should end after it begins, and have at most ${MAX_PERIOD_DAYS} days`
      return refuse(
        c,
        invalid([{ type: 'value_error', loc: ['query', 'since'], msg, input: c.req.query('since') ?? null }]),
      )
    }
    const store = openStore(databaseOf(c.env, placement.database))
    const { error, warning, isPartial } = await findErrorGroups(store, organizationId, hours)
    return c.json({
      since: timeOf(hours.from),
      until: timeOf(hours.to),
      previous_since: timeOf(hours.from - length),
      is_partial: isPartial,
      errors: error.groups.map(present),
      other_errors: error.others,
      warnings: warning.groups.map(present),
      other_warnings: warning.others,
    })
  },
})

/** The whole hours of a period. */
function toHours({ since, until }: z.output<typeof PeriodQuery>, now: number): Hours {
  const to = Math.ceil((until ?? now) / HOUR)
  return { from: since === undefined ? to - DEFAULT_HOURS : Math.floor(since / HOUR), to }
}

function timeOf(hour: number): string {
  return new Date(hour * HOUR).toISOString()
}

function present({ errorType, entries, jobs, previousEntries, previousJobs }: ErrorGroup) {
  return {
    error_type: errorType,
    entries,
    jobs,
    previous_entries: previousEntries,
    previous_jobs: previousJobs,
  }
}
