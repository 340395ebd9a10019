import { callJob } from '../http/call-job.ts'
import { endpoint } from '../http/endpoint.ts'
import { hasCurrent, jobJson, sayNotModified } from '../http/reply/job-json.ts'
import { notModified, wholeJob } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'

export const getJob = endpoint({
  id: 'get_job',
  method: 'get',
  path: '/api/jobs/{job_id}',
  summary: 'Get Job',
  description: 'The job as last acknowledged to its worker.',
  permission: 'job:read',
  replies: { 200: wholeJob, 304: notModified },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.read(address))
    if (!reply.ok) return refuse(c, reply)
    return hasCurrent(c, reply.revision) ? sayNotModified(c, reply.revision) : jobJson(c, reply)
  },
})
