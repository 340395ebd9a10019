import { callJob } from '../http/call-job.ts'
import { endpoint } from '../http/endpoint.ts'
import { etagOf, hasCurrent, sayNotModified } from '../http/reply/job-json.ts'
import { JobStatusResponse, notModified } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'

export const getJobStatus = endpoint({
  id: 'get_job_status',
  method: 'get',
  path: '/api/jobs/{job_id}/status',
  summary: 'Get Job Status',
  description: 'The few fields of the job that a poller needs, as last acknowledged.',
  permission: 'job:read',
  replies: {
    200: { description: 'Where the job stands.', content: { 'application/json': JobStatusResponse } },
    304: notModified,
  },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.status(address))
    if (!reply.ok) return refuse(c, reply)
    if (hasCurrent(c, reply.revision)) return sayNotModified(c, reply.revision)
    return c.json(reply.status, 200, { ETag: etagOf(reply.revision) })
  },
})
