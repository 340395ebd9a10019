import { z } from 'zod'

/** What the API answers, as schemas: published in /openapi.json, and held against real replies by the tests. */

// Not z.int(): a worker may report more than 2^53, as the contract has no upper bound.
const count = () => z.number().min(0).refine(Number.isInteger).meta({ type: 'integer' })
const text = () => z.string()
const percentage = () => z.number().min(0).max(100)
const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().optional()
const object = () => z.record(z.string(), z.unknown())

export const JobErrorResponse = z
  .object({
    entity_key: text().describe('Which entity it happened to'),
    entity_type: text().describe('What kind of entity that is'),
    error_type: text().describe('What went wrong, as a word for programs'),
    message: text().describe('What went wrong, as a sentence for people'),
    timestamp: text().describe('When it was reported, ISO 8601'),
    step: maybe(text()).describe('The step in which it happened'),
    details: maybe(object()).describe('Whatever else helps to understand it'),
  })
  .describe('One error or warning of a job')

const counts = {
  total_items: count().describe('How many items there are to process'),
  processed_items: count().describe('How many of them were processed'),
  failed_items: count().describe('Distinct entities with an error'),
  progress_percentage: percentage().describe('Share of the items that were handled, failed ones included'),
}

const StageResponse = z
  .object({ stage: text(), started_at: maybe(text()) })
  .describe('A stage that the worker reported, and when it first did')

const job = {
  job_id: text().describe('The id of the job'),
  job_type: text().describe('What kind of job it is'),
  status: text().describe(
    'pending, in_progress, completed, completed_with_warnings, partial_success, failed or cancelled',
  ),
  ...counts,
  warned_items: count().default(0).describe('Distinct entities with a warning and no error'),
  success_rate: percentage().describe('Share of the handled items that did not fail'),
  created_at: maybe(text()).describe('When the job was created, ISO 8601'),
  started_at: maybe(text()).describe('When its work began'),
  completed_at: maybe(text()).describe('When it was finished, in whichever way'),
  duration_seconds: maybe(z.number().min(0)).describe('From its start to its end, or to now while it runs'),
  eta_seconds: maybe(z.number().min(0)).describe(
    'While it runs: seconds to its end, should it go on as in the last minutes',
  ),
  rate_per_second: maybe(z.number().min(0)).describe(
    'While it runs: items handled a second in the last minutes',
  ),
  stall_after_seconds: maybe(count()).describe('Silent for longer, it counts as stalled'),
  stalled_at: maybe(text()).describe('Since when it counts as stalled; its next report clears it'),
  triggered_by: maybe(text()).describe('Who or what started it'),
  callback_url: maybe(text()).describe('Where it is posted once it is finished'),
  error_message: maybe(text()).describe('Why it failed as a whole. Deprecated: see errors'),
  error_count: count().optional().describe('How many errors were reported, kept or not'),
  warning_count: count().optional().describe('How many warnings were reported, kept or not'),
  entries_not_kept: count()
    .optional()
    .describe('Errors and warnings beyond the 100,000 that a job keeps: only counted'),
  entities_not_kept: count()
    .optional()
    .describe('Items beyond the 100,000 that a job tells apart: each report about one counts it anew'),
  stages: z.array(StageResponse).optional().describe('Its newest stages, oldest first'),
  metadata: maybe(object()).describe('Whatever its worker keeps with it; a list leaves it out on request'),
}

export const JobResponse = z
  .object({
    ...job,
    errors: z.array(JobErrorResponse).optional().describe('Its newest errors, oldest first'),
    warnings: z.array(JobErrorResponse).optional().describe('Its newest warnings, oldest first'),
  })
  .describe('A job')

export const JobSummaryResponse = z
  .object(job)
  .describe('A job without its entries, as lists and events carry it')

export const JobListResponse = z
  .object({
    jobs: z.array(JobSummaryResponse).describe('Newest first; at least one, unless no job is left'),
    next_cursor: text().nullable().describe('Where the next page begins; null at the end'),
  })
  .describe('One page of the jobs of an organization')

const groups = () => z.array(z.object({ error_type: text(), count: count() }))

export const EntryGroupsResponse = z
  .object({
    errors: groups(),
    other_errors: count().describe('Errors of any other type'),
    warnings: groups(),
    other_warnings: count().describe('Warnings of any other type'),
  })
  .describe('How many entries of a job there are of the 100 most frequent error types')

export const DeliveriesResponse = z
  .object({
    callback_url: text().nullable().describe('Where the finished job is posted to'),
    next_attempt_at: text().nullable().describe('When that is tried next; null: not at all, or not again'),
    deliveries: z
      .array(
        z.object({
          attempted_at: text().nullable(),
          status: count().nullable().describe('What the receiver answered; null where it did not'),
          error: text().nullable().describe('What went wrong; null where nothing did'),
        }),
      )
      .describe('Oldest first'),
  })
  .describe('How posting a finished job to its callback URL went')

export const JobErrorsResponse = z
  .object({
    errors: z.array(JobErrorResponse).describe('Oldest first'),
    next_cursor: text().nullable().describe('Where the next page begins; null at the end'),
  })
  .describe('One page of the errors of a job')

export const JobWarningsResponse = z
  .object({
    warnings: z.array(JobErrorResponse).describe('Oldest first'),
    next_cursor: text().nullable().describe('Where the next page begins; null at the end'),
  })
  .describe('One page of the warnings of a job')

export const JobStatusResponse = z
  .object({
    job_id: text().describe('The id of the job'),
    status: text().describe('As in JobResponse'),
    ...counts,
    stage: z.unknown().describe('What the worker is doing: metadata.stage'),
  })
  .describe('The few fields of a job that a poller needs')

export const ErrorResponse = z.object({ detail: text().describe('What is wrong') }).describe('A refusal')

const ValidationError = z.object({
  loc: z.array(z.union([z.string(), z.int()])).describe('Where: "body", then keys and places in lists'),
  msg: text().describe('What is wrong, as a sentence'),
  type: text().describe('What is wrong, as a word for programs'),
  input: z.unknown().optional().describe('What was sent there'),
  ctx: object().optional().describe('The bound that was missed, where there is one'),
})

export const HTTPValidationError = z
  .object({ detail: z.array(ValidationError).optional() })
  .describe('All that is wrong with a body, at once')

export const HealthResponse = z.object({ status: z.literal('ok') }).describe('The edge answers')

export const OpenapiResponse = z
  .object({ openapi: text(), info: object(), paths: object(), components: object() })
  .describe('A description of the API, for programs')
