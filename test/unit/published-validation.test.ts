import { describe, expect, test } from 'vitest'
import { componentSchemas } from '../../src/openapi/component-schemas.ts'
import { NewJobBody } from '../../src/routes/new-job-body.ts'
import { EntryBody, ReportBody } from '../../src/routes/report-body.ts'

const published = componentSchemas({
  JobProgressRequest: ReportBody,
  JobProgressErrorBody: EntryBody,
  JobCreateRequest: NewJobBody,
})

const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }], description: expect.any(String) })
const line = { type: 'string', maxLength: 4096 }
const dictionary = { type: 'object', additionalProperties: true }
const count = { type: 'integer', minimum: 0 }
const entry = { $ref: '#/components/schemas/JobProgressErrorBody' }
const mark = { type: 'boolean', default: false, description: expect.any(String) }
const described = { description: expect.any(String) }

describe('The schema that is published', () => {
  test('of a report has every field of the contract and the two lists, all of them optional', () => {
    expect(published.JobProgressRequest).toStrictEqual({
      type: 'object',
      ...described,
      properties: {
        mark_started: mark,
        total_items: orNull(count),
        processed_items: orNull(count),
        metadata_patch: orNull(dictionary),
        stage: orNull(line),
        message: orNull(line),
        error: orNull(entry),
        warning: orNull(entry),
        errors: orNull({ type: 'array', items: entry, maxItems: 500 }),
        warnings: orNull({ type: 'array', items: entry, maxItems: 500 }),
        mark_completed: mark,
        mark_failed: orNull({ type: 'string', maxLength: 16_384 }),
      },
    })
  })

  test('of an entry requires what says what happened to whom', () => {
    expect(published.JobProgressErrorBody).toStrictEqual({
      type: 'object',
      ...described,
      properties: {
        entity_key: { ...line, ...described },
        entity_type: { ...line, ...described, default: 'job' },
        error_type: { ...line, ...described },
        message: { type: 'string', maxLength: 16_384, ...described },
        step: orNull(line),
        details: orNull(dictionary),
      },
      required: ['entity_key', 'error_type', 'message'],
    })
  })

  test('of a new job requires its type and its size', () => {
    expect(published.JobCreateRequest).toStrictEqual({
      type: 'object',
      ...described,
      properties: {
        job_type: { ...line, ...described },
        total_items: { ...count, ...described },
        metadata: { ...dictionary, ...described },
        triggered_by: orNull(line),
        stall_after_seconds: orNull({ type: 'integer', minimum: 10, maximum: 86_400 }),
        callback_url: orNull({ type: 'string', maxLength: 2_048 }),
      },
      required: ['job_type', 'total_items'],
    })
  })
})
