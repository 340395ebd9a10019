import { callJob } from '../http/call-job.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_SUMMARY } from '../http/reply/example-job.ts'
import { etagOf, hasCurrent, sayNotModified } from '../http/reply/job-json.ts'
import { JobStatusResponse, notModified } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'

export const getJobStatus = endpoint({
  id: 'get_job_status',
  method: 'get',
  path: '/api/jobs/{job_id}/status',
  summary: 'Get Job Status',
  description: 'The status and progress of a job, for polling.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The status of the job.',
      content: {
        'application/json': {
          schema: JobStatusResponse,
          example: {
            job_id: REPORTED_SUMMARY.job_id,
            status: 'in_progress',
            progress_percentage: 37.52,
            processed_items: 1200,
            failed_items: 1,
            total_items: 3201,
            stage: 'uploading',
          },
        },
      },
    },
    304: notModified,
  },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.status(address))
    if (!reply.ok) return refuse(c, reply)
    if (hasCurrent(c, reply.revision)) return sayNotModified(c, reply.revision)
    return c.json(reply.status, 200, { ETag: etagOf(reply.revision) })
  },
})
