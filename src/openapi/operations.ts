import type { z } from 'zod'
import type { Permission } from '../access/caller.ts'
import { ListQuery } from '../routes/list-query.ts'
import { PageQuery } from '../routes/page-query.ts'
import type { SchemaName } from './schemas.ts'

/** One endpoint, as /openapi.json describes it. A test holds this list against the routes of the app. */
export interface Operation {
  id: string
  method: 'get' | 'post'
  /** As OpenAPI writes it: `/api/jobs/{job_id}`. */
  path: string
  summary: string
  description: string
  /** null: anyone may call it. */
  permission: Permission | null
  body?: SchemaName
  /** An object schema: each of its fields is a parameter of the query. */
  query?: z.ZodType
  /** It also answers NDJSON, one item of the reply's list a line. */
  streams?: true
  /** Where that is not JSON. */
  media?: string
  /** A repeated request with the same `Idempotency-Key` is applied once. */
  idempotent?: true
  reply: SchemaName
  /** Statuses it may refuse with, beside those of `guardedRefusals`. */
  refusals: (keyof typeof refusalTexts)[]
}

export const refusalTexts = {
  400: 'The body is no text, or the credential has several organizations and X-Organization-ID names none',
  401: 'No credential, or none that is valid',
  403: 'The credential lacks the permission, or a session was sent by a page of another site',
  404: 'There is no such job in the organisation, or no such organisation for the credential',
  409: 'The job is finished and takes no more reports',
  413: 'The body is larger than 1 MB',
  422: 'The body is not as it should be; nothing was applied',
  429: 'Too many requests, or too many that failed to authenticate; try again after Retry-After seconds',
  503: 'Not possible at the moment; try again after Retry-After seconds',
} as const

/** What every operation that needs a permission may refuse with. */
export const guardedRefusals = [400, 401, 403, 429, 503] as const

const PAGES =
  'In pages: `next_cursor` of one is the `cursor` of the next. With `Accept: application/x-ndjson` all of them come in ' +
  'one stream, an entry a line; a stream that breaks off is not whole.'

export const operations: Operation[] = [
  {
    id: 'create_job',
    method: 'post',
    path: '/api/jobs/',
    summary: 'Create Job',
    description: 'Creates a job in the status `pending`. Its worker then reports on it by its id.',
    permission: 'job:create',
    body: 'NewJobRequest',
    idempotent: true,
    reply: 'JobResponse',
    refusals: [400, 404, 413, 422, 503],
  },
  {
    id: 'list_jobs',
    method: 'get',
    path: '/api/jobs/',
    summary: 'List Jobs',
    description:
      'The jobs of the organization, newest first, in pages of at most 1 MB: a page of large jobs may hold fewer than its ' +
      '`limit`, so go on until `next_cursor` is null. Statuses are current; all else lags a second behind at most.',
    permission: 'job:read',
    query: ListQuery,
    reply: 'JobListResponse',
    refusals: [404, 422, 503],
  },
  {
    id: 'report_job_progress',
    method: 'post',
    path: '/api/jobs/{job_id}/progress',
    summary: 'Report Job Progress',
    description:
      'All that a worker says of its job: that it started, its stage and counts, errors and warnings, and how it ended. ' +
      'Only the fields given take effect, all of them in one step. What was answered with 200 is kept.',
    permission: 'job:create',
    body: 'JobProgressRequest',
    idempotent: true,
    reply: 'JobResponse',
    refusals: [400, 404, 409, 413, 422, 503],
  },
  {
    id: 'get_job',
    method: 'get',
    path: '/api/jobs/{job_id}',
    summary: 'Get Job',
    description: 'The job as last acknowledged to its worker.',
    permission: 'job:read',
    reply: 'JobResponse',
    refusals: [404, 503],
  },
  {
    id: 'get_job_status',
    method: 'get',
    path: '/api/jobs/{job_id}/status',
    summary: 'Get Job Status',
    description: 'The few fields of the job that a poller needs, as last acknowledged.',
    permission: 'job:read',
    reply: 'JobStatusResponse',
    refusals: [404, 503],
  },
  {
    id: 'cancel_job',
    method: 'post',
    path: '/api/jobs/{job_id}/cancel',
    summary: 'Cancel Job',
    description:
      'Ends a job that is not finished. Its worker learns of it by its next report, which gets 409.',
    permission: 'job:cancel',
    body: 'CancelRequest',
    reply: 'JobResponse',
    refusals: [400, 404, 409, 413, 422, 503],
  },
  {
    id: 'watch_job',
    method: 'get',
    path: '/api/jobs/{job_id}/events',
    summary: 'Watch Job',
    description:
      'The states of the job as they come, as server-sent events: `job`, its id the revision, its data a ' +
      'JobSummaryResponse, ten a second at most; the last one is `finished`. 204: the caller has seen that one.',
    permission: 'job:read',
    reply: 'JobSummaryResponse',
    media: 'text/event-stream',
    refusals: [404, 503],
  },
  {
    id: 'list_job_deliveries',
    method: 'get',
    path: '/api/jobs/{job_id}/deliveries',
    summary: 'List Job Deliveries',
    description: 'How posting the finished job to its callback URL went.',
    permission: 'job:read',
    reply: 'DeliveriesResponse',
    refusals: [404, 503],
  },
  {
    id: 'group_job_entries',
    method: 'get',
    path: '/api/jobs/{job_id}/entry-groups',
    summary: 'Group Job Entries',
    description: 'How many errors and warnings there are of each type.',
    permission: 'job:read',
    reply: 'EntryGroupsResponse',
    refusals: [404, 503],
  },
  {
    id: 'list_job_errors',
    method: 'get',
    path: '/api/jobs/{job_id}/errors',
    summary: 'List Job Errors',
    description: `All errors that the job keeps, oldest first. ${PAGES}`,
    permission: 'job:read',
    query: PageQuery,
    reply: 'JobErrorsResponse',
    streams: true,
    refusals: [404, 422, 503],
  },
  {
    id: 'list_job_warnings',
    method: 'get',
    path: '/api/jobs/{job_id}/warnings',
    summary: 'List Job Warnings',
    description: `All warnings that the job keeps, oldest first. ${PAGES}`,
    permission: 'job:read',
    query: PageQuery,
    reply: 'JobWarningsResponse',
    streams: true,
    refusals: [404, 422, 503],
  },
  {
    id: 'healthz',
    method: 'get',
    path: '/healthz',
    summary: 'Health',
    description: 'Whether the edge answers.',
    permission: null,
    reply: 'HealthResponse',
    refusals: [],
  },
  {
    id: 'openapi',
    method: 'get',
    path: '/openapi.json',
    summary: 'OpenAPI',
    description: 'This description.',
    permission: null,
    reply: 'OpenapiResponse',
    refusals: [],
  },
]
