import { z } from 'zod'
import { component } from '../component.ts'
import { count } from './job-schemas.ts'

export const ErrorResponse = component(
  'ErrorResponse',
  z.strictObject({ detail: z.string().describe('What is wrong, as a sentence') }).describe('A refusal'),
)

const ValidationError = component(
  'ValidationError',
  z
    .strictObject({
      loc: z.array(z.union([z.string(), count()])).meta({
        title: 'Location',
        description: 'Where the problem is: "body", "query" or "header", then keys and indexes',
      }),
      msg: z.string().meta({ title: 'Message', description: 'What is wrong, as a sentence' }),
      type: z.string().meta({ title: 'Error Type', description: 'What is wrong, as a code' }),
      input: z.unknown().optional().describe('What was sent there'),
      ctx: z
        .looseObject({})
        .optional()
        .meta({ title: 'Context', description: 'Details of the problem, such as the limit exceeded' }),
    })
    .describe('A problem with a request'),
)

export const HTTPValidationError = component(
  'HTTPValidationError',
  z
    .strictObject({ detail: z.array(ValidationError).optional().describe('Every problem found') })
    .describe('The problems with a request'),
)
