import { z } from 'zod'
import { boolean, dictionary, integer, list, text } from '../http/body/fields.ts'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { jobJson } from '../http/reply/job-json.ts'
import { wholeJob } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import type { Report, ReportedEntry } from '../jobs/apply-report.ts'
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
      entity_key: text(MAX_LINE).describe('The key of the entity that it happened to'),
      entity_type: text(MAX_LINE)
        .prefault('job')
        .describe('What kind of entity that is: product, document, or job for the job itself'),
      error_type: text(MAX_LINE).describe('What went wrong, as a code for programs'),
      message: text(MAX_MESSAGE).describe('What went wrong, as a sentence for people'),
      step: text(MAX_LINE).nullable().optional().describe('The step in which it happened'),
      details: dictionary(MAX_DETAILS_BYTES)
        .nullable()
        .optional()
        .describe('Anything else that helps to understand it'),
    })
    .describe('One error or warning of a job'),
)

const entries = () => list(JobProgressErrorBody, MAX_REPORTED_ENTRIES).nullable().optional()

export const JobProgressRequest = component(
  'JobProgressRequest',
  z
    .object({
      mark_started: boolean().prefault(false).describe('Whether the job is in progress from now on'),
      total_items: integer().nullable().optional().describe('How many items there are to process'),
      processed_items: integer().nullable().optional().describe('How many items have been processed so far'),
      metadata_patch: dictionary(MAX_METADATA_BYTES)
        .nullable()
        .optional()
        .describe('Fields to set in the metadata of the job; the others keep their values'),
      stage: text(MAX_LINE)
        .nullable()
        .optional()
        .describe('What the worker is doing; kept as metadata.stage'),
      message: text(MAX_LINE).nullable().optional().describe('A log line; kept as metadata.last_message'),
      error: JobProgressErrorBody.nullable().optional().describe('One error to add to the job'),
      warning: JobProgressErrorBody.nullable().optional().describe('One warning to add to the job'),
      errors: entries().describe('More errors to add, after the single one and in this order'),
      warnings: entries().describe('More warnings to add, after the single one and in this order'),
      mark_completed: boolean()
        .prefault(false)
        .describe('Whether the job is done; its errors and warnings decide how well'),
      mark_failed: text(MAX_MESSAGE)
        .nullable()
        .optional()
        .describe('Why the job failed; even an empty text fails it'),
    })
    .describe('What a worker reports on its job. Only the fields given take effect'),
)

export const reportProgress = endpoint({
  id: 'report_job_progress',
  method: 'post',
  path: '/api/jobs/{job_id}/progress',
  summary: 'Report Job Progress',
  description:
    'Everything that a worker reports on its job: that it started, its stage and counts, errors and warnings, and how it ' +
    'ended. Only the fields given take effect, all of them in one step. A report that was answered with 200 is kept.',
  permission: 'job:create',
  body: {
    schema: JobProgressRequest,
    example: {
      mark_started: true,
      stage: 'uploading',
      processed_items: 1_200,
      warning: { entity_type: 'product', entity_key: 'sku-3', error_type: 'no_image', message: 'No image' },
    },
  },
  idempotent: 'report',
  replies: { 200: wholeJob },
  refusals: [409],
  async handle(c) {
    const report = toReport(c.req.valid('json'))
    const reply = await callJob(c, (object, address) => object.report(address, report, c.var.keyedRequest))
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
})

/** The report that a valid body makes: without the fields that take no effect. */
export function toReport(body: z.output<typeof JobProgressRequest>): Report {
  const report: Report = {}
  if (body.mark_started) report.markStarted = true
  if (isGiven(body.total_items)) report.totalItems = body.total_items
  if (isGiven(body.processed_items)) report.processedItems = body.processed_items
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
