import { callJob } from '../http/call-job.ts'
import { endpoint } from '../http/endpoint.ts'
import { REPORTED_JOB } from '../http/reply/example-job.ts'
import { hasCurrent, jobJson, sayNotModified } from '../http/reply/job-json.ts'
import { notModified, wholeJob } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'

export const getJob = endpoint({
  id: 'get_job',
  method: 'get',
  path: '/api/jobs/{job_id}',
  summary: 'Get Job',
  description: 'Returns the job as its last acknowledged report left it.',
  permission: 'job:read',
  replies: { 200: wholeJob({ ...REPORTED_JOB, duration_seconds: 41.5 }), 304: notModified },
  async handle(c) {
    const reply = await callJob(c, (object, address) => object.read(address))
    if (!reply.ok) return refuse(c, reply)
    return hasCurrent(c, reply.revision) ? sayNotModified(c, reply.revision) : jobJson(c, reply)
  },
})
