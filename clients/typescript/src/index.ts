export {
  EntriesDroppedError,
  JobClosedError,
  RequestRefusedError,
  UnreachableError,
  type Unsent,
} from './errors.ts'
export type {
  ChildFilter,
  EntityEntry,
  EntryFilter,
  EntryGroup,
  EntryGroups,
  ErrorGroup,
  ErrorGroups,
  Job,
  JobChildren,
  JobCount,
  JobEntry,
  JobFilter,
  JobHistory,
  JobMessage,
  JobProgress,
  JobStage,
  JobStatus,
  JobSummary,
  JobTotal,
  JobType,
  JobWithRelatives,
  LinkedJob,
  NewJob,
  Period,
  Report,
  ReportedEntry,
  StatsFilter,
} from './job.ts'
export type { JobReporter } from './job-reporter.ts'
export type { Jobs } from './jobs.ts'
export { Milepost } from './milepost.ts'
export type { CallOptions, Clock, Fetch, JobOptions, MilepostOptions } from './options.ts'
export { isFinished } from './statuses.ts'
