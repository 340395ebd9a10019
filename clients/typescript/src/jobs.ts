import type { ApiRequest } from './attempt.ts'
import type { Connection } from './connection.ts'
import type {
  EntryFilter,
  Job,
  JobCount,
  JobEntry,
  JobFilter,
  JobHistory,
  JobMessage,
  JobProgress,
  JobSummary,
  JobType,
  StatsFilter,
} from './job.ts'
import type { CallOptions } from './options.ts'
import { sendWithRetries } from './send-with-retries.ts'
import { type WatchOptions, watchJob } from './watch-job.ts'
import {
  asList,
  asWire,
  readCount,
  readEntries,
  readHistory,
  readJob,
  readJobType,
  readMessage,
  readProgress,
  readSummary,
} from './wire.ts'

/** Reads, watches and cancels the jobs of an organization. Every call retries as reports do, and rejects with the same errors. */
export class Jobs {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** All jobs, newest first. Pages are fetched as they are needed. */
  async *list(filter: JobFilter = {}, options: CallOptions = {}): AsyncGenerator<JobSummary, void> {
    const query = toQuery({
      status: [filter.status ?? []].flat().join() || undefined,
      job_type: filter.jobType,
      triggered_by: filter.triggeredBy,
      created_after: toTime(filter.createdAfter),
      created_before: toTime(filter.createdBefore),
      stalled: filter.stalled,
      metadata: filter.metadata,
      limit: filter.pageSize,
    })
    for await (const page of this.#pages('/api/jobs/', query, options))
      for (const job of asList(page.jobs)) yield readSummary(job)
  }

  async get(jobId: string, options: CallOptions = {}): Promise<Job> {
    return readJob(await this.#send({ method: 'GET', path: pathOf(jobId) }, options))
  }

  /** What a poller needs: the status, the counts and the stage. */
  async status(jobId: string, options: CallOptions = {}): Promise<JobProgress> {
    return readProgress(await this.#send({ method: 'GET', path: `${pathOf(jobId)}/status` }, options))
  }

  /** Cancels a job that is not finished. Its worker's `signal` is aborted. Rejects with a JobClosedError if it is finished. */
  async cancel(jobId: string, reason?: string, options: CallOptions = {}): Promise<Job> {
    const body = JSON.stringify({ reason })
    // Canceling again changes nothing, so a retry is safe without a key.
    return readJob(await this.#send({ method: 'POST', path: `${pathOf(jobId)}/cancel`, body }, options))
  }

  /** All errors that the API keeps of the job, oldest first. Pages are fetched as they are needed. */
  errors(jobId: string, filter: EntryFilter = {}, options: CallOptions = {}): AsyncGenerator<JobEntry, void> {
    return this.#entries(jobId, 'errors', filter, options)
  }

  /** The same for warnings. */
  warnings(
    jobId: string,
    filter: EntryFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<JobEntry, void> {
    return this.#entries(jobId, 'warnings', filter, options)
  }

  /**
   * The job now and after each change, until it is finished: at most ten states a second, and a slow reader skips some. Connects
   * again when the connection breaks; rejects when it stays broken for `giveUpAfterMs`. `onMessage` gets the newest messages,
   * and each that comes, before the state that it led to.
   */
  watch(jobId: string, options: WatchOptions = {}): AsyncGenerator<JobSummary, void> {
    return watchJob(this.#connection, `${pathOf(jobId)}/events`, options)
  }

  /** The newest messages that were reported on the job, oldest first: at most 200. */
  async messages(jobId: string, options: CallOptions = {}): Promise<JobMessage[]> {
    const reply = await this.#send({ method: 'GET', path: `${pathOf(jobId)}/messages` }, options)
    return asList(asWire(reply).messages).map(readMessage)
  }

  /** How the job went: its counts over its time, and its stages. */
  async history(jobId: string, options: CallOptions = {}): Promise<JobHistory> {
    return readHistory(await this.#send({ method: 'GET', path: `${pathOf(jobId)}/history` }, options))
  }

  /**
   * How many jobs ended in each hour of the last 90 days, by type and status, the oldest hour first. Pages are fetched as they
   * are needed.
   */
  async *stats(filter: StatsFilter = {}, options: CallOptions = {}): AsyncGenerator<JobCount, void> {
    const query = toQuery({
      since: toTime(filter.since),
      until: toTime(filter.until),
      job_type: filter.jobType,
    })
    for await (const page of this.#pages('/api/stats', query, options))
      for (const count of asList(page.stats)) yield readCount(count)
  }

  /** The types of the organization's jobs by name, and how long those of each usually take. */
  async *types(options: CallOptions = {}): AsyncGenerator<JobType, void> {
    for await (const page of this.#pages('/api/stats/job-types', toQuery({}), options))
      for (const type of asList(page.job_types)) yield readJobType(type)
  }

  async *#entries(
    jobId: string,
    kind: 'errors' | 'warnings',
    { errorType, pageSize }: EntryFilter,
    options: CallOptions,
  ): AsyncGenerator<JobEntry, void> {
    const query = toQuery({ error_type: errorType, limit: pageSize })
    for await (const page of this.#pages(`${pathOf(jobId)}/${kind}`, query, options))
      yield* readEntries(page[kind])
  }

  async *#pages(
    path: string,
    query: URLSearchParams,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>, void> {
    for (let cursor: unknown = ''; cursor !== null && cursor !== undefined; ) {
      if (cursor !== '') query.set('cursor', String(cursor))
      const page = asWire(await this.#send({ method: 'GET', path: `${path}?${query}` }, options))
      yield page
      cursor = page.next_cursor
    }
  }

  async #send(request: ApiRequest, { giveUpAfterMs, signal }: CallOptions): Promise<unknown> {
    const connection = giveUpAfterMs === undefined ? this.#connection : { ...this.#connection, giveUpAfterMs }
    return (await sendWithRetries(connection, request, { signal })).body
  }
}

function pathOf(jobId: string): string {
  return `/api/jobs/${encodeURIComponent(jobId)}`
}

function toQuery(values: Record<string, string | number | boolean | undefined>): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value))
  return query
}

function toTime(time: Date | string | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time
}
