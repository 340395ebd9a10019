import type { JobStatus } from './job.ts'

/** The place of a job in a list: newest first, and by id among those of the same millisecond. */
export interface Place {
  createdAt: number
  jobId: string
}

export interface JobFilter {
  /** None: of any status. */
  statuses: JobStatus[]
  jobType?: string
  triggeredBy?: string
  /** Bounds in ms since the epoch, both exclusive. */
  createdAfter?: number
  createdBefore?: number
  stalled?: true
}
