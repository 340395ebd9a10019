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
      live_jobs: count().describe('Jobs that are not finished'),
      live_jobs_limit: count().describe('With that many, the organization cannot create another job'),
      jobs: count().describe('All jobs, finished ones included, until they are deleted'),
      entry_bytes: count().describe('Bytes of the errors and warnings that they keep'),
      bytes: count().describe(`\`entry_bytes\`, and ${JOB_BYTES} bytes for each job`),
      bytes_limit: count().describe('With that many bytes, the organization cannot create another job'),
    })
    .describe('What an organization has stored, and how much it may store'),
)

export const getUsage = endpoint({
  id: 'get_usage',
  method: 'get',
  path: '/api/usage',
  summary: 'Get Usage',
  description: 'What the organization has stored, and how much it may store. It is about a second behind.',
  permission: 'job:read',
  replies: { 200: { description: 'The usage.', content: { 'application/json': UsageResponse } } },
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
