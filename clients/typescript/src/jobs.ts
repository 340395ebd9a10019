import type { EntryFilter, Job, JobEntry, JobFilter, JobProgress, JobSummary } from './job.ts'
import type { CallOptions } from './options.ts'

/** Reads, watches and cancels the jobs of an organization. */
export declare class Jobs {
  /** All jobs, newest first; pages are fetched as they are needed. */
  list(filter?: JobFilter, options?: CallOptions): AsyncGenerator<JobSummary, void>
  get(jobId: string, options?: CallOptions): Promise<Job>
  status(jobId: string, options?: CallOptions): Promise<JobProgress>
  cancel(jobId: string, reason?: string, options?: CallOptions): Promise<Job>
  /** All errors, oldest first; pages are fetched as they are needed. */
  errors(jobId: string, filter?: EntryFilter, options?: CallOptions): AsyncGenerator<JobEntry, void>
  warnings(jobId: string, filter?: EntryFilter, options?: CallOptions): AsyncGenerator<JobEntry, void>
  /** The job now and after each change, until it is finished. */
  watch(jobId: string, options?: { signal?: AbortSignal }): AsyncGenerator<JobSummary, void>
}
