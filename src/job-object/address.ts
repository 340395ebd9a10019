import type { JobKey } from '../jobs/job.ts'
import type { JobObject } from './job-object.ts'

/** What callers ask of a job's object. Named here since the runtime's own mapped type does not end on nested JSON. */
export type JobCalls = Pick<
  JobObject,
  'create' | 'report' | 'cancel' | 'read' | 'entries' | 'groups' | 'watch'
>

/**
 * The object of one job. Its name is made of the organisation and the id, so that another organisation's caller
 * addresses another, empty object: no check can be forgotten. Encoding leaves no `/` in either part, so neither can
 * forge the separator.
 */
export function jobObject(
  jobs: DurableObjectNamespace,
  { organizationId, jobId }: JobKey,
): DurableObjectStub & JobCalls {
  const name = `${encodeURIComponent(organizationId)}/${encodeURIComponent(jobId)}`
  return jobs.getByName(name) as DurableObjectStub & JobCalls
}
