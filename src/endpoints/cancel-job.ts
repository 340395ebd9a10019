import { z } from 'zod'
import { text } from '../http/body/fields.ts'
import { callJob } from '../http/call-job.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_JOB } from '../http/reply/example-job.ts'
import { jobJson } from '../http/reply/job-json.ts'
import { wholeJob } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import { MAX_MESSAGE } from '../jobs/limits.ts'

const CancelRequest = component(
  'CancelRequest',
  z
    .object({
      reason: text(MAX_MESSAGE)
        .nullable()
        .optional()
        .describe('Why the job is canceled; kept as its error_message'),
    })
    .describe('A cancellation'),
)

export const cancelJob = endpoint({
  id: 'cancel_job',
  method: 'post',
  path: '/api/jobs/{job_id}/cancel',
  summary: 'Cancel Job',
  description:
    'Cancels a job that is not finished. Its worker finds out from the `Job-Status` of the reply to its next report, and ' +
    'can send one last report of what it still has.',
  permission: 'job:cancel',
  body: { schema: CancelRequest, example: { reason: 'The feed is outdated' }, optional: true },
  replies: {
    200: wholeJob({
      ...REPORTED_JOB,
      status: 'cancelled',
      completed_at: '2026-11-27T10:00:43.500Z',
      duration_seconds: 41.5,
      error_message: 'The feed is outdated',
    }),
  },
  refusals: [409],
  async handle(c) {
    const { reason = null } = c.req.valid('json')
    const reply = await callJob(c, (object, address) => object.cancel(address, reason))
    return reply.ok ? jobJson(c, reply) : refuse(c, reply)
  },
})
