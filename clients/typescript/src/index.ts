export {
  EntriesDroppedError,
  JobClosedError,
  RequestRefusedError,
  UnreachableError,
  type Unsent,
} from './errors.ts'
export type {
  EntityEntry,
  EntryFilter,
  EntryGroup,
  EntryGroups,
  ErrorGroup,
  ErrorGroups,
  Job,
  JobEntry,
  JobFilter,
  JobProgress,
  JobStage,
  JobStatus,
  JobSummary,
  NewJob,
  Period,
  Report,
  ReportedEntry,
} from './job.ts'
export type { JobReporter } from './job-reporter.ts'
export type { Jobs } from './jobs.ts'
export { Milepost } from './milepost.ts'
export type { CallOptions, Clock, Fetch, JobOptions, MilepostOptions } from './options.ts'
export { isFinished } from './statuses.ts'
