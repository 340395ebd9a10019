import type { EntryFilter, Job, JobEntry, JobSummary, Report, ReportedEntry } from './job.ts'
import type { CallOptions } from './options.ts'

/** Reports on one job. Get one from `Milepost`. */
export declare class JobReporter {
  readonly jobId: string
  /** Aborted with a JobClosedError when the job was canceled, or finished elsewhere. */
  readonly signal: AbortSignal
  /** How many errors and warnings were dropped because too many were waiting. */
  get dropped(): number
  /** The job as of the newest reply. */
  get latest(): Job | undefined
  report(report: Report): void
  started(): void
  processed(count: number): void
  add(count?: number, counters?: Record<string, number>): void
  count(counters: Record<string, number>): void
  stage(name: string): void
  message(text: string): void
  error(entry: ReportedEntry): void
  warning(entry: ReportedEntry): void
  drained(options?: CallOptions): Promise<void>
  flush(options?: CallOptions): Promise<void>
  complete(options?: CallOptions): Promise<Job>
  fail(message: string, options?: CallOptions): Promise<Job>
  close(): void
  watch(options?: { signal?: AbortSignal }): AsyncGenerator<JobSummary, void>
  entries(kind: 'errors' | 'warnings', filter?: EntryFilter): AsyncGenerator<JobEntry, void>
  [Symbol.asyncDispose](): Promise<void>
}
