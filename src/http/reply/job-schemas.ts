import { z } from 'zod'
import { JOB_STATUSES } from '../../jobs/job.ts'
import { component } from '../component.ts'

// Objects are strict: the edge tests parse every reply, and an unknown field fails them.

const text = () => z.string()
/** An integer. Not `z.int()`: the contract has no upper bound, and workers may report more than 2^53. */
export const count = () => z.number().refine(Number.isInteger).meta({ type: 'integer' })
const measure = () => z.number().refine((value) => value >= 0)
const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().optional()
const status = () => text().describe(`One of ${JOB_STATUSES.join(', ')}`)
const object = () => z.record(z.string(), z.unknown())

export const JobErrorResponse = component(
  'JobErrorResponse',
  z
    .strictObject({
      entity_key: text().describe('The key of the affected entity'),
      entity_type: text().describe('The type of that entity'),
      error_type: text().describe('What went wrong, as a code'),
      message: text().describe('What went wrong, as a sentence'),
      timestamp: text().describe('When it was reported, in ISO 8601'),
      step: maybe(text()).describe('The step in which it occurred'),
      details: maybe(object()).describe('Any further details'),
    })
    .describe('An error or warning of a job'),
)

const counts = {
  total_items: count().describe('The number of items to process'),
  processed_items: count().describe('The number of items processed'),
  failed_items: count().describe('The number of distinct entities with an error'),
  progress_percentage: measure().describe('Processed and failed items in percent of all items: 0 to 100'),
}

export const StageResponse = component(
  'StageResponse',
  z
    .strictObject({
      stage: text().describe('Its name, as reported'),
      started_at: maybe(text()).describe('When it was first reported'),
    })
    .describe('A stage of a job'),
)

export const JobMessageResponse = component(
  'JobMessageResponse',
  z
    .strictObject({
      seq: count().describe('Its number among all messages of the job, starting with 1'),
      timestamp: text().describe('When it was reported, in ISO 8601'),
      message: text().describe('The message'),
    })
    .describe('A message of a job'),
)

const job = {
  job_id: text().describe('The ID of the job'),
  job_type: text().describe('The type of the job'),
  status: status(),
  ...counts,
  counters: z.record(z.string(), count()).optional().describe('What its workers have counted, by name'),
  counters_not_kept: count()
    .optional()
    .describe('The number of counters that the report which finished it left out: a job has at most 50'),
  warned_items: count().default(0).describe('The number of distinct entities with a warning but no error'),
  success_rate: measure().describe('Processed items in percent of processed and failed items: 0 to 100'),
  created_at: maybe(text()).describe('When the job was created, in ISO 8601'),
  started_at: maybe(text()).describe('When it started'),
  completed_at: maybe(text()).describe('When it finished, successfully or not'),
  duration_seconds: maybe(measure()).describe(
    'Seconds from its start to its end, or until now if it is running',
  ),
  eta_seconds: maybe(measure()).describe('Seconds until a running job ends, at the rate of the last minutes'),
  rate_per_second: maybe(measure()).describe('Items a running job handled per second in the last minutes'),
  stall_after_seconds: maybe(count()).describe(
    'Seconds without a report after which it is flagged as stalled',
  ),
  stalled_at: maybe(text()).describe('When it was flagged as stalled; the next report clears this'),
  start_within_seconds: maybe(count()).describe('Seconds from its creation within which it should start'),
  finish_within_seconds: maybe(count()).describe('Seconds from its creation within which it should finish'),
  late_at: maybe(text()).describe('When it was found to have missed one of these; it stays'),
  triggered_by: maybe(text()).describe('Who or what started it'),
  callback_url: maybe(text()).describe('Where it is posted when it finishes'),
  error_message: maybe(text()).describe('Why the job failed or was canceled. Deprecated: see errors'),
  error_count: count().optional().describe('The number of errors reported, kept or not'),
  warning_count: count().optional().describe('The number of warnings reported, kept or not'),
  entry_bytes: count().optional().describe('The bytes of the errors and warnings that it keeps'),
  entries_not_kept: count()
    .optional()
    .describe('The number of errors and warnings beyond the 100,000 or 64 MB that a job keeps'),
  entities_not_kept: count()
    .optional()
    .describe('The number of reports on entities beyond the 100,000 that a job remembers'),
  labels: z.record(z.string(), z.string()).optional().describe('What it was labeled with, by name'),
  parent_job_id: maybe(text()).describe('The job that it is a part of'),
  stages: z.array(StageResponse).optional().describe('The newest 50 stages, oldest first'),
  metadata: maybe(object()).describe('Data kept with the job. A list leaves it out if asked to'),
}

export const JobResponse = component(
  'JobResponse',
  z
    .strictObject({
      ...job,
      errors: z.array(JobErrorResponse).optional().describe('The newest errors, oldest first'),
      warnings: z.array(JobErrorResponse).optional().describe('The newest warnings, oldest first'),
    })
    .describe('A job'),
)

const ChildrenResponse = component(
  'ChildrenResponse',
  z
    .strictObject({
      count: count().describe('The number of children, at most 10,000'),
      is_exact: z.boolean().describe('False if there are more: the newest 10,000 are counted'),
      by_status: z.record(z.string(), count()).describe('The number of them by status'),
      total_items: count().describe('The sum of their total_items'),
      processed_items: count().describe('The sum of their processed_items'),
      failed_items: count().describe('The sum of their failed_items'),
    })
    .describe('The jobs that have a job as their parent, counted'),
)

const LinkedJobResponse = component(
  'LinkedJobResponse',
  z
    .strictObject({
      job_id: text().describe('The ID of the job'),
      job_type: text().describe('The type of the job'),
      status: status(),
    })
    .describe('A job that names another in its metadata'),
)

/** A job as it is read alone. */
export const JobWithRelativesResponse = component(
  'JobWithRelativesResponse',
  JobResponse.extend({
    children: ChildrenResponse.nullable().describe(
      'Its children, as of about a second ago; null if unknown now',
    ),
    linked_from: z
      .array(LinkedJobResponse)
      .nullable()
      .describe('The newest 20 jobs that name it as metadata.import_job_id; null if unknown now'),
  }).describe('A job, its children and the jobs that are linked to it'),
)

export const JobSummaryResponse = component(
  'JobSummaryResponse',
  z.strictObject(job).describe('A job without its errors and warnings, as in lists and events'),
)

export const JobStatusResponse = component(
  'JobStatusResponse',
  z
    .strictObject({
      job_id: text().describe('The ID of the job'),
      status: status(),
      ...counts,
      stage: z.unknown().describe('The current stage: metadata.stage'),
    })
    .describe('The progress of a job, for polling'),
)

/** The cursor of the next page. */
export const nextCursor = () =>
  text().nullable().describe('The cursor of the next page; null if there is none')

/** A reply with a whole job. */
export const wholeJob = (example: z.input<typeof JobResponse>) => ({
  description: 'The job. If it does not hold all errors or warnings, a `Link` header leads to them.',
  content: { 'application/json': { schema: JobResponse, example } },
})

export const notModified = { description: 'The job has not changed: see `If-None-Match`.' }
