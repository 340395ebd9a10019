import { CancelBody } from '../routes/cancel-body.ts'
import { NewJobBody } from '../routes/new-job-body.ts'
import { EntryBody, ReportBody } from '../routes/report-body.ts'
import * as replies from './replies.ts'

/** All that is sent and answered, by the names that the document gives it. */
export const schemas = {
  JobProgressRequest: ReportBody,
  JobProgressErrorBody: EntryBody,
  NewJobRequest: NewJobBody,
  CancelRequest: CancelBody,
  ...replies,
}

export type SchemaName = keyof typeof schemas
