import { type Connection, connect } from './connection.ts'
import type { NewJob } from './job.ts'
import { JobReporter } from './job-reporter.ts'
import { Jobs } from './jobs.ts'
import { newKey } from './new-key.ts'
import type { CallOptions, JobOptions, MilepostOptions } from './options.ts'
import { sendWithRetries } from './send-with-retries.ts'
import { warnThrottled } from './warn-throttled.ts'
import { readJob, writeNewJob } from './wire.ts'

/**
 * A client of the Jobs API. It needs only fetch, so it runs on Node, Bun, Deno, Workers and in browsers.
 *
 * @example
 * const milepost = new Milepost({ url: 'https://jobs.example.com', key })
 * const job = await milepost.createJob({ jobType: 'feed_import', totalItems: rows.length })
 * job.started()
 * for (const row of rows) {
 *   await importRow(row)
 *   job.add()
 * }
 * await job.complete()
 */
export class Milepost {
  readonly jobs: Jobs
  readonly #connection: Connection
  readonly #reportsPerSecond: number
  readonly #onProblem: (problem: Error) => void

  /** Throws a TypeError without a URL, or without a key that can be sent. */
  constructor(options: MilepostOptions = {}) {
    this.#connection = connect(options)
    this.#reportsPerSecond = options.reportsPerSecond ?? 2
    if (!(this.#reportsPerSecond > 0)) throw new TypeError('reportsPerSecond should be more than 0')
    this.#onProblem = options.onProblem ?? warnThrottled()
    this.jobs = new Jobs(this.#connection)
  }

  /**
   * Creates a job. Rejects with a RequestRefusedError if the API refuses it, and with an UnreachableError if it does not answer
   * in time.
   */
  async createJob(newJob: NewJob, options: JobOptions & CallOptions = {}): Promise<JobReporter> {
    const { giveUpAfterMs = this.#connection.giveUpAfterMs, signal } = options
    const body = JSON.stringify(writeNewJob(newJob))
    const reply = await sendWithRetries(
      { ...this.#connection, giveUpAfterMs },
      { method: 'POST', path: '/api/jobs/', body, idempotencyKey: newKey() },
      { signal },
    )
    const job = readJob(reply.body)
    return new JobReporter(this.#connection, job.jobId, this.jobs, this.#settings(options), job)
  }

  /** Goes on with a job that exists, for instance after a restart. Makes no request. */
  job(jobId: string, options: JobOptions = {}): JobReporter {
    return new JobReporter(this.#connection, jobId, this.jobs, this.#settings(options))
  }

  #settings({ onProblem = this.#onProblem, onProgress = () => {} }: JobOptions) {
    return { reportsPerSecond: this.#reportsPerSecond, onProblem, onProgress }
  }
}
