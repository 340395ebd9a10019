import { type Connection, sendWithRetries } from './send-with-retries.ts'
import { type Job, type NewJob, type Report, readJob, writeNewJob, writeReport } from './wire.ts'

/**
 * Creates a job and returns a reporter for it. It needs only fetch and a key, so it runs on Node, Workers and Deno.
 *
 * @example
 * const reporter = await createJob({ url, key }, { jobType: 'feed_import', totalItems: 3 })
 * await reporter.start()
 * await reporter.report({ stage: 'uploading', processedItems: 2 })
 * await reporter.complete()
 *
 * Every call sends one request, retries it if the network or the API fails, and takes effect once. See sendWithRetries for
 * the errors it may throw.
 */
export async function createJob(connection: Connection, newJob: NewJob): Promise<JobReporter> {
  const job = readJob(await sendWithRetries(connection, '/api/jobs/', writeNewJob(newJob)))
  return new JobReporter(connection, job.jobId)
}

/**
 * Reports on one job. Get one from createJob, or construct it from the id of an existing job, for instance after a restart.
 *
 * Await each report before you send the next. The last `processedItems` to arrive wins, so an older count may win if two
 * reports are in flight.
 */
export class JobReporter {
  readonly jobId: string
  readonly #connection: Connection

  constructor(connection: Connection, jobId: string) {
    this.jobId = jobId
    this.#connection = connection
  }

  /** Applies all of the report or none of it, and returns the updated job. */
  async report(report: Report): Promise<Job> {
    const path = `/api/jobs/${encodeURIComponent(this.jobId)}/progress`
    return readJob(await sendWithRetries(this.#connection, path, writeReport(report)))
  }

  start(): Promise<Job> {
    return this.report({ markStarted: true })
  }

  /** Finishes the job. The API derives the status from the reported errors and warnings. */
  complete(): Promise<Job> {
    return this.report({ markCompleted: true })
  }

  /** Fails the job, with a message for people. */
  fail(message: string): Promise<Job> {
    return this.report({ markFailed: message })
  }
}
