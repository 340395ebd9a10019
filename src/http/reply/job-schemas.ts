import { z } from 'zod'
import { component } from '../component.ts'

/** What the API answers about jobs. Objects are strict: the edge tests parse every reply, and an unknown field fails them. */

const text = () => z.string()
/** Not `z.int()`: the contract has no upper bound, so a worker may report more than 2^53. */
export const count = () => z.number().refine(Number.isInteger).meta({ type: 'integer' })
const measure = () => z.number().refine((value) => value >= 0)
const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().optional()
const object = () => z.record(z.string(), z.unknown())

export const JobErrorResponse = component(
  'JobErrorResponse',
  z
    .strictObject({
      entity_key: text().describe('The key of the entity that it happened to'),
      entity_type: text().describe('What kind of entity that is'),
      error_type: text().describe('What went wrong, as a code for programs'),
      message: text().describe('What went wrong, as a sentence for people'),
      timestamp: text().describe('When it was reported, in ISO 8601'),
      step: maybe(text()).describe('The step in which it happened'),
      details: maybe(object()).describe('Anything else that helps to understand it'),
    })
    .describe('One error or warning of a job'),
)

const counts = {
  total_items: count().describe('How many items there are to process'),
  processed_items: count().describe('How many of them have been processed'),
  failed_items: count().describe('Distinct entities with an error'),
  progress_percentage: measure().describe(
    'Share of the items that were handled, failed ones included: 0 to 100',
  ),
}

const StageResponse = component(
  'StageResponse',
  z
    .strictObject({
      stage: text().describe('What the worker called it'),
      started_at: maybe(text()).describe('When it was first reported'),
    })
    .describe('A stage that a job went through'),
)

const job = {
  job_id: text().describe('The ID of the job'),
  job_type: text().describe('What kind of job it is'),
  status: text().describe(
    'pending, in_progress, completed, completed_with_warnings, partial_success, failed or cancelled',
  ),
  ...counts,
  warned_items: count().default(0).describe('Distinct entities with a warning and no error'),
  success_rate: measure().describe('Share of the handled items that did not fail: 0 to 100'),
  created_at: maybe(text()).describe('When the job was created, in ISO 8601'),
  started_at: maybe(text()).describe('When its work began'),
  completed_at: maybe(text()).describe('When it finished, successfully or not'),
  duration_seconds: maybe(measure()).describe('From its start to its end, or to now while it runs'),
  eta_seconds: maybe(measure()).describe('While it runs: seconds to its end at the pace of the last minutes'),
  rate_per_second: maybe(measure()).describe('While it runs: items handled per second in the last minutes'),
  stall_after_seconds: maybe(count()).describe('A longer silence flags it as stalled'),
  stalled_at: maybe(text()).describe('When it was flagged as stalled; its next report clears this'),
  triggered_by: maybe(text()).describe('Who or what started it'),
  callback_url: maybe(text()).describe('Where it is posted once it is finished'),
  error_message: maybe(text()).describe('Why it failed as a whole. Deprecated: see errors'),
  error_count: count().optional().describe('How many errors were reported, kept or not'),
  warning_count: count().optional().describe('How many warnings were reported, kept or not'),
  entry_bytes: count().optional().describe('Bytes of the errors and warnings that it keeps'),
  entries_not_kept: count()
    .optional()
    .describe('Errors and warnings beyond the 100,000, or the 64 MB, that a job keeps: only counted'),
  entities_not_kept: count()
    .optional()
    .describe('Items beyond the 100,000 that a job tells apart: each report on one counts it again'),
  stages: z.array(StageResponse).optional().describe('Its 50 newest stages, oldest first'),
  metadata: maybe(object()).describe('Whatever its worker keeps with it; a list leaves it out on request'),
}

export const JobResponse = component(
  'JobResponse',
  z
    .strictObject({
      ...job,
      errors: z.array(JobErrorResponse).optional().describe('Its newest errors, oldest first'),
      warnings: z.array(JobErrorResponse).optional().describe('Its newest warnings, oldest first'),
    })
    .describe('A job'),
)

export const JobSummaryResponse = component(
  'JobSummaryResponse',
  z.strictObject(job).describe('A job without its entries, as lists and events carry it'),
)

export const JobStatusResponse = component(
  'JobStatusResponse',
  z
    .strictObject({
      job_id: text().describe('The ID of the job'),
      status: text().describe('As in JobResponse'),
      ...counts,
      stage: z.unknown().describe('What the worker is doing: metadata.stage'),
    })
    .describe('The few fields of a job that a poller needs'),
)

/** The cursor of a page's successor. */
export const nextCursor = () => text().nullable().describe('The cursor of the next page; null at the end')

/** The reply of the endpoints that answer a whole job. */
export const wholeJob = {
  description: 'The job. A `Link` header leads to its entries where it does not show them all.',
  content: { 'application/json': JobResponse },
}

export const notModified = { description: 'The caller has the job as it is: see `If-None-Match`' }
