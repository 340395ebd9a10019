import { z } from 'zod'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { count } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import type { EntryGroup } from '../jobs/entry-page.ts'

const EntryGroupResponse = component(
  'EntryGroupResponse',
  z
    .strictObject({
      error_type: z.string().describe('The error type'),
      count: count().describe('The number of entries of this type'),
    })
    .describe('The number of entries of one error type'),
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
    'Counts the errors and warnings of a job by type: the 100 most frequent types of each, and all others together.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The counts by type.',
      content: {
        'application/json': {
          schema: EntryGroupsResponse,
          example: {
            errors: [{ error_type: 'no_price', count: 1 }],
            other_errors: 0,
            warnings: [{ error_type: 'no_image', count: 1 }],
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

function present({ errorType, count }: EntryGroup) {
  return { error_type: errorType, count }
}
