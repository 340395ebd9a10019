import { z } from 'zod'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_MESSAGE } from '../http/reply/example-job.ts'
import { JobMessageResponse } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'

const JobMessagesResponse = component(
  'JobMessagesResponse',
  z
    .strictObject({ messages: z.array(JobMessageResponse).describe('Oldest first') })
    .describe('The newest messages of a job'),
)

export const listMessages = endpoint({
  id: 'list_job_messages',
  method: 'get',
  path: '/api/jobs/{job_id}/messages',
  summary: 'List Job Messages',
  description:
    'Lists the newest messages that were reported on the job: at most 200, and 256 KB of them. `…/events?messages=true` ' +
    'streams them as they come.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The messages.',
      content: {
        'application/json': { schema: JobMessagesResponse, example: { messages: [REPORTED_MESSAGE] } },
      },
    },
  },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.messages(address))
    return reply.ok ? c.json({ messages: reply.messages }) : refuse(c, reply)
  },
})
