import type { JobStatus } from './job.ts'

/** The place of a job in a list, which runs by time of creation; jobs of the same millisecond are ordered by id. */
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
  late?: true
  /** Only the children of this job. Not together with other filters but those of time. */
  parentJobId?: string
  /** Names and values, at least one. A job has all of them, whatever the case of A to Z. */
  labels?: [name: string, value: string][]
  /** The beginning of the job's id, or of what it is found by: see `jobTerms`. */
  search?: string
}

/** Which end a list starts at. */
export const SORTS = ['newest', 'oldest'] as const
export type Sort = (typeof SORTS)[number]
