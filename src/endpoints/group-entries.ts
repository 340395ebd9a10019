import { z } from 'zod'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_ERROR, REPORTED_WARNING } from '../http/reply/example-job.ts'
import { count } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import type { ShownGroup } from '../jobs/entry-page.ts'

const SampleResponse = component(
  'EntrySampleResponse',
  z
    .strictObject({
      entity_type: z.string().describe('The type of the affected entity'),
      entity_key: z.string().describe('The key of that entity'),
      message: z.string().describe('What went wrong, as a sentence'),
    })
    .describe('The newest entry of an error type; each text is cut to 200 characters'),
)

const EntryGroupResponse = component(
  'EntryGroupResponse',
  z
    .strictObject({
      error_type: z.string().describe('The error type'),
      count: count().describe('The number of entries of this type'),
      first_seen: z.string().nullable().describe('When the first of them was reported, in ISO 8601'),
      last_seen: z.string().nullable().describe('When the newest was reported'),
      sample: SampleResponse.nullable().describe('The newest of them'),
    })
    .describe('The entries of one error type'),
)

const groups = () => z.array(EntryGroupResponse)

const EntryGroupsResponse = component(
  'EntryGroupsResponse',
  z
    .strictObject({
      errors: groups().describe('The most frequent types of errors, most frequent first'),
      other_errors: count().describe('The number of errors of other types'),
      warnings: groups().describe('The most frequent types of warnings, most frequent first'),
      other_warnings: count().describe('The number of warnings of other types'),
    })
    .describe('The errors and warnings of a job, counted by type'),
)

export const groupEntries = endpoint({
  id: 'group_job_entries',
  method: 'get',
  path: '/api/jobs/{job_id}/entry-groups',
  summary: 'Group Job Entries',
  description:
    'Counts the errors and warnings of a job by type: the 100 most frequent types of each, and all others together. Each type ' +
    'has a sample, and says when it was seen first and last.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The counts by type.',
      content: {
        'application/json': {
          schema: EntryGroupsResponse,
          example: {
            errors: [exampleOf(REPORTED_ERROR)],
            other_errors: 0,
            warnings: [exampleOf(REPORTED_WARNING)],
            other_warnings: 0,
          },
        },
      },
    },
  },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.groups(address))
    if (!reply.ok) return refuse(c, reply)
    return c.json({
      errors: reply.error.groups.map(present),
      other_errors: reply.error.others,
      warnings: reply.warning.groups.map(present),
      other_warnings: reply.warning.others,
    })
  },
})

function present({ errorType, count, firstSeen, lastSeen, ...sample }: ShownGroup) {
  const { entityType, entityKey, message } = sample
  const isLost = entityType === null || entityKey === null || message === null
  return {
    error_type: errorType,
    count,
    first_seen: firstSeen,
    last_seen: lastSeen,
    sample: isLost ? null : { entity_type: entityType, entity_key: entityKey, message },
  }
}

function exampleOf({ error_type, timestamp, entity_type, entity_key, message }: typeof REPORTED_ERROR) {
  return {
    error_type,
    count: 1,
    first_seen: timestamp,
    last_seen: timestamp,
    sample: { entity_type, entity_key, message },
  }
}
