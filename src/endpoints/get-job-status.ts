import { callJob } from '../http/call-job.ts'
import { endpoint } from '../http/endpoint.ts'
import { etagOf, hasCurrent, sayNotModified } from '../http/reply/job-json.ts'
import { JobStatusResponse, notModified } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import { presentStatus } from '../jobs/present-job.ts'

export const getJobStatus = endpoint({
  id: 'get_job_status',
  method: 'get',
  path: '/api/jobs/{job_id}/status',
  summary: 'Get Job Status',
  description: 'The status and progress of a job, for polling.',
  permission: 'job:read',
  replies: {
    200: { description: 'The status of the job.', content: { 'application/json': JobStatusResponse } },
    304: notModified,
  },
  async handle(c) {
    const reply = await callJob(c, (object, key) => object.read(key))
    if (!reply.ok) return refuse(c, reply)
    if (hasCurrent(c, reply.job)) return sayNotModified(c, reply.job)
    return c.json(presentStatus(reply.job), 200, { ETag: etagOf(reply.job) })
  },
})
