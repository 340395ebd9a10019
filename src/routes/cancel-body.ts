import { z } from 'zod'
import { text } from '../http/fields.ts'
import { MAX_MESSAGE } from './report-body.ts'

/** The body of a cancellation, which may be empty. */
export const CancelBody = z
  .object({
    reason: text(MAX_MESSAGE).nullable().optional().describe('Why; kept as the error_message of the job'),
  })
  .describe('A cancellation')
