import { z } from 'zod'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_SUMMARY } from '../http/reply/example-job.ts'
import { count, StageResponse } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'

const HistoryPointResponse = component(
  'HistoryPointResponse',
  z
    .strictObject({
      timestamp: z.string().describe('When this was so, in ISO 8601'),
      processed_items: count().describe('The number of items processed by then'),
      failed_items: count().describe('The number of distinct entities with an error by then'),
    })
    .describe('How far a job was at a time'),
)

const JobHistoryResponse = component(
  'JobHistoryResponse',
  z
    .strictObject({
      points: z
        .array(HistoryPointResponse)
        .describe('At most 200, oldest first: from the creation of the job to its newest change or its end'),
      stages: z.array(StageResponse).describe('The newest 50 stages, oldest first'),
    })
    .describe('How a job went'),
)

export const getHistory = endpoint({
  id: 'get_job_history',
  method: 'get',
  path: '/api/jobs/{job_id}/history',
  summary: 'Get Job History',
  description:
    'Returns how the job went: how many items were processed and had failed by when, evenly spread over its time, and its ' +
    'stages.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The history.',
      content: {
        'application/json': {
          schema: JobHistoryResponse,
          example: {
            points: [
              { timestamp: '2026-11-27T10:00:00.000Z', processed_items: 0, failed_items: 0 },
              { timestamp: '2026-11-27T10:00:02.000Z', processed_items: 1_200, failed_items: 1 },
            ],
            stages: REPORTED_SUMMARY.stages,
          },
        },
      },
    },
  },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.history(address))
    return reply.ok ? c.json(reply.history) : refuse(c, reply)
  },
})
