import { z } from 'zod'
import { callJob } from '../http/call-job.ts'
import { endpoint } from '../http/endpoint.ts'
import { CHILD_SUMMARY } from '../http/reply/example-job.ts'
import { JobListResponse, jobPage, pageFields } from '../http/reply/job-page.ts'
import { refuse } from '../http/reply/refuse.ts'
import { MAX_PAGE_BYTES } from '../jobs/limits.ts'
import { databaseOf } from '../store/databases.ts'
import { listJobs } from '../store/list-jobs.ts'
import { openStore } from '../store/store.ts'

export const listChildren = endpoint({
  id: 'list_job_children',
  method: 'get',
  path: '/api/jobs/{job_id}/children',
  summary: 'List Job Children',
  description:
    'Lists the jobs that were created with this one as their `parent_job_id`, newest first, in pages like those of ' +
    '`GET /api/jobs/`. Their own children are not in it.',
  permission: 'job:read',
  query: z.object(pageFields),
  queryExample: { limit: '20' },
  replies: {
    200: {
      description: 'A page of jobs.',
      content: {
        'application/json': {
          schema: JobListResponse,
          example: { jobs: [CHILD_SUMMARY], next_cursor: null },
        },
      },
    },
  },
  async handle(c) {
    const found = await callJob(c, async (object, address) => {
      const reply = await object.status(address)
      return reply.ok ? { ok: true as const, address } : reply
    })
    if (!found.ok) return refuse(c, found)
    const { organizationId, jobId } = found.address
    const { sort, cursor, limit, metadata } = c.req.valid('query')
    const page = await listJobs(openStore(databaseOf(c.env, c.var.placement.database)), organizationId, {
      filter: { statuses: [], parentJobId: jobId },
      sort,
      after: cursor,
      limit,
      bytes: MAX_PAGE_BYTES,
      withMetadata: metadata,
    })
    return jobPage(c, page, metadata)
  },
})
