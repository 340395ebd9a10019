import { z } from 'zod'
import { boolean, dictionary, integer, list, text } from '../http/fields.ts'
import { MAX_METADATA_BYTES } from '../jobs/limits.ts'
import type { Report, ReportedEntry } from '../jobs/report.ts'

/** Characters of a name, a stage, a log line. */
export const MAX_LINE = 4096
/** Characters of an entry's message, and bytes of its details as JSON. */
export const MAX_MESSAGE = 16_384
/** Entries of each kind in one report. */
export const MAX_ENTRIES = 500

/** An error or a warning, as the body of a report carries it. */
export const EntryBody = z
  .object({
    entity_key: text(MAX_LINE).describe('Which entity it happened to, by its key'),
    entity_type: text(MAX_LINE).prefault('job').describe('What kind of entity that is: job, product, …'),
    error_type: text(MAX_LINE).describe('What went wrong, as a word for programs'),
    message: text(MAX_MESSAGE).describe('What went wrong, as a sentence for people'),
    step: text(MAX_LINE).nullable().optional().describe('The step of the import in which it happened'),
    details: dictionary(MAX_MESSAGE).nullable().optional().describe('Whatever else helps to understand it'),
  })
  .describe('One error or warning of a job')

/** The body of a progress report. */
export const ReportBody = z
  .object({
    mark_started: boolean().prefault(false).describe('True: the job is in progress from now on'),
    total_items: integer().nullable().optional().describe('How many items there are to process'),
    processed_items: integer().nullable().optional().describe('How many items are processed by now'),
    metadata_patch: dictionary(MAX_METADATA_BYTES)
      .nullable()
      .optional()
      .describe('Fields to set in the metadata of the job; those not named keep their values'),
    stage: text(MAX_LINE).nullable().optional().describe('What the worker is doing; kept as metadata.stage'),
    message: text(MAX_LINE).nullable().optional().describe('A log line; kept as metadata.last_message'),
    error: EntryBody.nullable().optional().describe('One error to add to the job'),
    warning: EntryBody.nullable().optional().describe('One warning to add to the job'),
    errors: list(EntryBody, MAX_ENTRIES)
      .nullable()
      .optional()
      .describe('More errors to add, after the single one and in this order'),
    warnings: list(EntryBody, MAX_ENTRIES)
      .nullable()
      .optional()
      .describe('More warnings to add, after the single one and in this order'),
    mark_completed: boolean()
      .prefault(false)
      .describe('True: the job is done; its errors and warnings decide how well'),
    mark_failed: text(MAX_MESSAGE)
      .nullable()
      .optional()
      .describe('The job has failed, and this is why; even an empty text fails it'),
  })
  .describe('What a worker reports of its job. Only what is given takes effect')

/** The report that a valid body makes. */
export function toReport(body: z.output<typeof ReportBody>): Report {
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

type Entry = z.output<typeof EntryBody>

function toEntries(single: Entry | null | undefined, more: Entry[] | null | undefined): ReportedEntry[] {
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
