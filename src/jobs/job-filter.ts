import type { JobStatus } from './job.ts'

/** The place of a job in a list, which runs newest first; jobs of the same millisecond are ordered by id. */
export interface Place {
  createdAt: number
  jobId: string
}

export interface JobFilter {
  /** Empty: any status. */
  statuses: JobStatus[]
  jobType?: string
  triggeredBy?: string
  /** Bounds in ms since the epoch, both exclusive. */
  createdAfter?: number
  createdBefore?: number
  stalled?: true
}
