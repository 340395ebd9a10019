import type { JobKey } from '../jobs/job.ts'
import type { JobObject } from './job-object.ts'

/** The calls to a job's object. Named here because the runtime's own stub type recurses endlessly on nested JSON. */
export type JobCalls = Pick<
  JobObject,
  | 'create'
  | 'report'
  | 'cancel'
  | 'read'
  | 'status'
  | 'deliveries'
  | 'entries'
  | 'groups'
  | 'messages'
  | 'history'
  | 'watch'
>

/**
 * The object of one job. Its name contains the organization, so a caller of another organization addresses a different,
 * empty object: there is no check to forget. Encoding removes every `/` from both parts, so neither can forge the
 * separator.
 */
export function jobObject(
  jobs: DurableObjectNamespace,
  { organizationId, jobId }: JobKey,
): DurableObjectStub & JobCalls {
  const name = `${encodeURIComponent(organizationId)}/${encodeURIComponent(jobId)}`
  return jobs.getByName(name) as DurableObjectStub & JobCalls
}
