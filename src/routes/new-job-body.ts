import { z } from 'zod'
import { dictionary, integer, text } from '../http/fields.ts'
import { MAX_METADATA_BYTES } from '../jobs/limits.ts'
import type { NewJob } from '../jobs/report.ts'
import { MAX_LINE } from './report-body.ts'

/** The body that creates a job. */
export const NewJobBody = z
  .object({
    job_type: text(MAX_LINE).describe('What kind of job it is, for instance enrichment or crawl'),
    total_items: integer().describe('How many items there are to process; 0 where that is not known yet'),
    metadata: dictionary(MAX_METADATA_BYTES).optional().describe('Anything to keep with the job'),
    triggered_by: text(MAX_LINE).nullable().optional().describe('Who or what started the job'),
    stall_after_seconds: integer({ least: 10, most: 86_400 })
      .nullable()
      .optional()
      .describe('A running job that is silent for longer is flagged as stalled'),
    callback_url: text(2_048)
      .nullable()
      .optional()
      .describe('Where the finished job is posted to: https, at a public address'),
  })
  .describe('A job to create')

/** The job that a valid body asks for. */
export function toNewJob(body: z.output<typeof NewJobBody>): NewJob {
  return {
    jobType: body.job_type,
    totalItems: body.total_items,
    metadata: body.metadata ?? {},
    triggeredBy: body.triggered_by ?? null,
    stallAfterSeconds: body.stall_after_seconds ?? null,
    callbackUrl: body.callback_url ?? null,
  }
}
