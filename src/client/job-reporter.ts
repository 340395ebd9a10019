import { type Connection, sendWithRetries } from './send-with-retries.ts'
import { type Job, type NewJob, type Report, readJob, writeNewJob, writeReport } from './wire.ts'

/**
 * Creates a job and returns the reporter of its progress. Needs fetch and a key, and runs wherever both are: Node,
 * Workers, Deno.
 *
 * @example
 * const reporter = await createJob({ url, key }, { jobType: 'feed_import', totalItems: 3 })
 * await reporter.start()
 * await reporter.report({ stage: 'uploading', processedItems: 2 })
 * await reporter.complete()
 *
 * Every call is one report to the API, sent again where the network or the API failed, applied once. What each may throw
 * stands at sendWithRetries.
 */
export async function createJob(connection: Connection, newJob: NewJob): Promise<JobReporter> {
  const job = readJob(await sendWithRetries(connection, '/api/jobs/', writeNewJob(newJob)))
  return new JobReporter(connection, job.jobId)
}

/**
 * Reports on one job. Make it by createJob, or from the id of a job that exists (a worker that was restarted).
 *
 * Await each report before the next: `processedItems` stands as it arrived last, so two in flight may settle on the older.
 */
export class JobReporter {
  readonly jobId: string
  readonly #connection: Connection

  constructor(connection: Connection, jobId: string) {
    this.jobId = jobId
    this.#connection = connection
  }

  /** Applies the report whole or not at all, and returns the job as it is after it. */
  async report(report: Report): Promise<Job> {
    const path = `/api/jobs/${encodeURIComponent(this.jobId)}/progress`
    return readJob(await sendWithRetries(this.#connection, path, writeReport(report)))
  }

  start(): Promise<Job> {
    return this.report({ markStarted: true })
  }

  /** Finishes the job; whether with warnings or with part of it failed, the API derives from what was reported. */
  complete(): Promise<Job> {
    return this.report({ markCompleted: true })
  }

  /** Finishes the job as failed, with a message for people. */
  fail(message: string): Promise<Job> {
    return this.report({ markFailed: message })
  }
}
