import type { NewJob } from './job.ts'
import type { JobReporter } from './job-reporter.ts'
import type { Jobs } from './jobs.ts'
import type { CallOptions, JobOptions, MilepostOptions } from './options.ts'

export declare class Milepost {
  readonly jobs: Jobs
  /** Throws a TypeError without a URL or a key that can be sent. */
  constructor(options?: MilepostOptions)
  createJob(newJob: NewJob, options?: JobOptions & CallOptions): Promise<JobReporter>
  job(jobId: string, options?: JobOptions): JobReporter
}
