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
      attempted_at: textOrNull().describe('When the attempt was made, in ISO 8601'),
      status: count().nullable().describe('The HTTP status from the receiver; null if it did not respond'),
      error: textOrNull().describe('What went wrong; null if the delivery succeeded'),
    })
    .describe('An attempt to post a finished job'),
)

const DeliveriesResponse = component(
  'DeliveriesResponse',
  z
    .strictObject({
      callback_url: textOrNull().describe('Where the finished job is posted; null if nowhere'),
      next_attempt_at: textOrNull().describe('When the next attempt is due; null if there is none'),
      deliveries: z.array(DeliveryResponse).describe('The attempts so far, oldest first'),
    })
    .describe('The deliveries of a finished job to its callback URL'),
)

export const listDeliveries = endpoint({
  id: 'list_job_deliveries',
  method: 'get',
  path: '/api/jobs/{job_id}/deliveries',
  summary: 'List Job Deliveries',
  description: 'Lists the attempts to post the finished job to its callback URL.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The attempts so far.',
      content: {
        'application/json': {
          schema: DeliveriesResponse,
          example: {
            callback_url: 'https://shop.example.com/hooks/jobs',
            next_attempt_at: null,
            deliveries: [{ attempted_at: '2026-11-27T10:00:43.600Z', status: 200, error: null }],
          },
        },
      },
    },
  },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.deliveries(address))
    return reply.ok ? c.json(reply.deliveries) : refuse(c, reply)
  },
})
