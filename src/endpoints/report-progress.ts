import { z } from 'zod'
import { counters } from '../http/body/counters.ts'
import { boolean, dictionary, integer, list, text } from '../http/body/fields.ts'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_JOB } from '../http/reply/example-job.ts'
import { jobJson } from '../http/reply/job-json.ts'
import { wholeJob } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import { type Fault, raise } from '../http/reply/validation-error.ts'
import type { Report, ReportedEntry } from '../jobs/job.ts'
import {
  MAX_DETAILS_BYTES,
  MAX_LINE,
  MAX_MESSAGE,
  MAX_METADATA_BYTES,
  MAX_REPORTED_ENTRIES,
} from '../jobs/limits.ts'

const JobProgressErrorBody = component(
  'JobProgressErrorBody',
  z
    .object({
      entity_key: text(MAX_LINE).describe('The key of the affected entity'),
      entity_type: text(MAX_LINE)
        .prefault('job')
        .describe('The type of that entity, such as product; job means the job itself'),
      error_type: text(MAX_LINE).describe('What went wrong, as a code'),
      message: text(MAX_MESSAGE).describe('What went wrong, as a sentence'),
      step: text(MAX_LINE).nullable().optional().describe('The step in which it occurred'),
      details: dictionary(MAX_DETAILS_BYTES).nullable().optional().describe('Any further details'),
    })
    .describe('An error or warning of a job'),
)

const entries = () => list(JobProgressErrorBody, MAX_REPORTED_ENTRIES).nullable().optional()

const SET_AND_ADDED: Fault = {
  type: 'value_error',
  msg: 'Value error, processed_delta cannot be sent with processed_items',
}

export const JobProgressRequest = component(
  'JobProgressRequest',
  z
    .object({
      mark_started: boolean().prefault(false).describe('Starts the job'),
      total_items: integer().nullable().optional().describe('The number of items to process'),
      processed_items: integer().nullable().optional().describe('The number of items processed so far'),
      processed_delta: integer()
        .nullable()
        .optional()
        .describe('A number to add to the items processed; not together with processed_items'),
      counters: counters()
        .nullable()
        .optional()
        .describe(
          'Numbers to add to the counters of the job: up to 50 in all, with names of 1 to 64 characters',
        ),
      metadata_patch: dictionary(MAX_METADATA_BYTES)
        .nullable()
        .optional()
        .describe('Keys to set in the metadata of the job; other keys keep their values'),
      stage: text(MAX_LINE).nullable().optional().describe('The current stage; kept as metadata.stage'),
      message: text(MAX_LINE)
        .nullable()
        .optional()
        .describe('A log message; kept as metadata.last_message, and listed'),
      error: JobProgressErrorBody.nullable().optional().describe('An error to add to the job'),
      warning: JobProgressErrorBody.nullable().optional().describe('A warning to add to the job'),
      errors: entries().describe('More errors to add, after the one in error'),
      warnings: entries().describe('More warnings to add, after the one in warning'),
      mark_completed: boolean()
        .prefault(false)
        .describe('Finishes the job; its errors and warnings decide the status'),
      mark_failed: text(MAX_MESSAGE)
        .nullable()
        .optional()
        .describe('Fails the job, and says why. An empty text fails it, too'),
    })
    .superRefine(({ processed_items, processed_delta }, ctx) => {
      if (isGiven(processed_items) && isGiven(processed_delta)) raise(ctx, SET_AND_ADDED, ['processed_delta'])
    })
    .describe('A report on a job. Absent and null fields have no effect'),
)

export const reportProgress = endpoint({
  id: 'report_job_progress',
  method: 'post',
  path: '/api/jobs/{job_id}/progress',
  summary: 'Report Job Progress',
  description:
    'Reports anything about a job: its start, its counts and stage, errors and warnings, and its end. Absent and null ' +
    'fields have no effect; all others are applied in one step. A report answered with 200 is never lost. After a ' +
    'cancellation, one last report without a mark is taken for 30 seconds; the job stays `cancelled`.',
  permission: 'job:create',
  body: {
    schema: JobProgressRequest,
    example: {
      mark_started: true,
      stage: 'uploading',
      message: 'Rows 1 to 1,200',
      processed_items: 1_200,
      counters: { created: 40 },
      error: { entity_type: 'product', entity_key: 'sku-7', error_type: 'no_price', message: 'No price' },
      warning: { entity_type: 'product', entity_key: 'sku-3', error_type: 'no_image', message: 'No image' },
    },
  },
  idempotent: 'report',
  replies: { 200: wholeJob(REPORTED_JOB) },
  refusals: [409],
  headers: {
    'Job-Status': {
      description:
        'The status of the job now, which the body may not show: a worker that reads `cancelled` here stops, and can send ' +
        'what it still has in one last report.',
      schema: { type: 'string' },
    },
  },
  async handle(c) {
    const report = toReport(c.req.valid('json'))
    const reply = await callJob(c, (object, address) => object.report(address, report, c.var.keyedRequest))
    if ('status' in reply) c.header('Job-Status', reply.status)
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
})

/** The report in a valid body, without the fields that have no effect. */
export function toReport(body: z.output<typeof JobProgressRequest>): Report {
  const report: Report = {}
  if (body.mark_started) report.markStarted = true
  if (isGiven(body.total_items)) report.totalItems = body.total_items
  if (isGiven(body.processed_items)) report.processedItems = body.processed_items
  if (isGiven(body.processed_delta)) report.processedDelta = body.processed_delta
  if (isGiven(body.counters) && Object.keys(body.counters).length > 0) report.counters = body.counters
  if (isGiven(body.metadata_patch)) report.metadataPatch = body.metadata_patch
  if (isGiven(body.stage)) report.stage = body.stage
  if (isGiven(body.message)) report.message = body.message
  const errors = toEntries(body.error, body.errors)
  if (errors.length > 0) report.errors = errors
  const warnings = toEntries(body.warning, body.warnings)
  if (warnings.length > 0) report.warnings = warnings
  if (body.mark_completed) report.markCompleted = true
  if (isGiven(body.mark_failed)) report.markFailed = body.mark_failed
  return report
}

type EntryBody = z.output<typeof JobProgressErrorBody>

function toEntries(
  single: EntryBody | null | undefined,
  more: EntryBody[] | null | undefined,
): ReportedEntry[] {
  return [...(single ? [single] : []), ...(more ?? [])].map((entry) => ({
    entityKey: entry.entity_key,
    entityType: entry.entity_type,
    errorType: entry.error_type,
    message: entry.message,
    step: entry.step ?? null,
    details: entry.details ?? null,
  }))
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined
}
