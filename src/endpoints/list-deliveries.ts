import { z } from 'zod'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { count } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'

const textOrNull = () => z.string().nullable()

const DeliveryResponse = component(
  'DeliveryResponse',
  z
    .strictObject({
      attempted_at: textOrNull().describe('When it was made, in ISO 8601'),
      status: count().nullable().describe('The status that the receiver answered; null if it did not answer'),
      error: textOrNull().describe('What went wrong; null if nothing did'),
    })
    .describe('One attempt to post a finished job'),
)

const DeliveriesResponse = component(
  'DeliveriesResponse',
  z
    .strictObject({
      callback_url: textOrNull().describe('Where the finished job is posted; null: nowhere'),
      next_attempt_at: textOrNull().describe('When that is tried next; null: not at all, or not again'),
      deliveries: z.array(DeliveryResponse).describe('The attempts so far, oldest first'),
    })
    .describe('How posting a finished job to its callback URL went'),
)

export const listDeliveries = endpoint({
  id: 'list_job_deliveries',
  method: 'get',
  path: '/api/jobs/{job_id}/deliveries',
  summary: 'List Job Deliveries',
  description: 'How posting the finished job to its callback URL went.',
  permission: 'job:read',
  replies: {
    200: { description: 'The attempts.', content: { 'application/json': DeliveriesResponse } },
  },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.deliveries(address))
    return reply.ok ? c.json(reply.deliveries) : refuse(c, reply)
  },
})
