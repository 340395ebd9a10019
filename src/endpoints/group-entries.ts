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
      error_type: z.string().describe('As the entries have it'),
      count: count().describe('How many entries have it'),
    })
    .describe('The entries of one error type'),
)

const groups = () => z.array(EntryGroupResponse)

const EntryGroupsResponse = component(
  'EntryGroupsResponse',
  z
    .strictObject({
      errors: groups().describe('The most frequent error types of the errors'),
      other_errors: count().describe('Errors of any other type'),
      warnings: groups().describe('The most frequent error types of the warnings'),
      other_warnings: count().describe('Warnings of any other type'),
    })
    .describe('How many entries a job has of each of the 100 most frequent error types'),
)

export const groupEntries = endpoint({
  id: 'group_job_entries',
  method: 'get',
  path: '/api/jobs/{job_id}/entry-groups',
  summary: 'Group Job Entries',
  description:
    'How many errors and warnings the job has of each type: the 100 most frequent, and all others together.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The types, the most frequent first.',
      content: { 'application/json': EntryGroupsResponse },
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
