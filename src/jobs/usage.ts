import { JOB_BYTES } from './limits.ts'

/** What one organization has in D1. */
export interface Usage {
  /** Jobs that are not finished. */
  liveJobs: number
  jobs: number
  /** UTF-8 bytes of the entries that its jobs keep. */
  entryBytes: number
}

/** What an operator lets one organization have. */
export interface UsageLimits {
  liveJobs: number
  /** As `usedBytes` counts them. */
  bytes: number
}

/** Why an organization may not create another job. */
export type UsageExcess = 'too_many_live_jobs' | 'storage_full'

/** The bytes of entries, and a flat `JOB_BYTES` for each job: D1 cannot tell what a row takes. */
export function usedBytes({ jobs, entryBytes }: Usage): number {
  return entryBytes + jobs * JOB_BYTES
}

/**
 * Why an organization with this usage may not create another job; undefined if it may. Full storage comes first: it is
 * the one that waiting does not mend.
 */
export function excessOf(usage: Usage, limits: UsageLimits): UsageExcess | undefined {
  if (usedBytes(usage) + JOB_BYTES > limits.bytes) return 'storage_full'
  return usage.liveJobs >= limits.liveJobs ? 'too_many_live_jobs' : undefined
}

/** The usage once the organization has created another job. */
export function withAnotherJob({ liveJobs, jobs, entryBytes }: Usage): Usage {
  return { liveJobs: liveJobs + 1, jobs: jobs + 1, entryBytes }
}
