import { z } from 'zod'
import { usageLimits } from '../http/caller/organization-usage.ts'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'
import { count } from '../http/reply/job-schemas.ts'
import { refuse } from '../http/reply/refuse.ts'
import { JOB_BYTES } from '../jobs/limits.ts'
import { usedBytes } from '../jobs/usage.ts'
import { databaseOf } from '../store/databases.ts'
import { findUsage } from '../store/find-usage.ts'
import { openStore } from '../store/store.ts'

const UsageResponse = component(
  'UsageResponse',
  z
    .strictObject({
      live_jobs: count().describe('The number of unfinished jobs'),
      live_jobs_limit: count().describe(
        'With this many unfinished jobs, the organization cannot create another job',
      ),
      jobs: count().describe('The number of all jobs that have not been deleted, finished or not'),
      entry_bytes: count().describe('The bytes of the errors and warnings that these jobs keep'),
      bytes: count().describe(`\`entry_bytes\`, plus ${JOB_BYTES} bytes for each job`),
      bytes_limit: count().describe('With this many bytes, the organization cannot create another job'),
    })
    .describe('What an organization stores, and how much it may store'),
)

export const getUsage = endpoint({
  id: 'get_usage',
  method: 'get',
  path: '/api/usage',
  summary: 'Get Usage',
  description:
    'Returns what the organization stores and how much it may store. The numbers are about a second behind.',
  permission: 'job:read',
  replies: {
    200: {
      description: 'The usage.',
      content: {
        'application/json': {
          schema: UsageResponse,
          example: {
            live_jobs: 1,
            live_jobs_limit: 20_000,
            jobs: 1,
            entry_bytes: 314,
            bytes: 2_362,
            bytes_limit: 2_147_483_648,
          },
        },
      },
    },
  },
  async handle(c) {
    const { organizationId, placement } = c.var
    if (organizationId === null) return refuse(c, { ok: false, reason: 'organization_not_found' })
    const usage = await findUsage(openStore(databaseOf(c.env, placement.database)), organizationId)
    const limits = usageLimits(c.env)
    return c.json({
      live_jobs: usage.liveJobs,
      live_jobs_limit: limits.liveJobs,
      jobs: usage.jobs,
      entry_bytes: usage.entryBytes,
      bytes: usedBytes(usage),
      bytes_limit: limits.bytes,
    })
  },
})
