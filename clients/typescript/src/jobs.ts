import type { ApiRequest } from './attempt.ts'
import type { Connection } from './connection.ts'
import { download } from './download.ts'
import type {
  ChildFilter,
  EntityEntry,
  EntryFilter,
  EntryGroups,
  ErrorGroups,
  Job,
  JobCount,
  JobEntry,
  JobFilter,
  JobHistory,
  JobMessage,
  JobProgress,
  JobSummary,
  JobTotal,
  JobType,
  JobWithRelatives,
  Period,
  StatsFilter,
} from './job.ts'
import type { CallOptions } from './options.ts'
import { sendWithRetries } from './send-with-retries.ts'
import { type WatchOptions, watchJob } from './watch-job.ts'
import {
  asList,
  asWire,
  readCount,
  readEntityEntries,
  readEntries,
  readErrorGroups,
  readFullJob,
  readGroups,
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

  /** All jobs that match, newest first unless the filter says otherwise. Pages are fetched as they are needed. */
  async *list(filter: JobFilter = {}, options: CallOptions = {}): AsyncGenerator<JobSummary, void> {
    const query = toJobQuery(filter)
    if (filter.metadata !== undefined) query.set('metadata', String(filter.metadata))
    if (filter.pageSize !== undefined) query.set('limit', String(filter.pageSize))
    for await (const page of this.#pages('/api/jobs/', query, options))
      for (const job of asList(page.jobs)) yield readSummary(job)
  }

  /** How many jobs match, counted up to 10,000. */
  async count(filter: JobFilter = {}, options: CallOptions = {}): Promise<JobTotal> {
    const query = toJobQuery(filter)
    for (const [name, value] of [
      ['include', 'total'],
      ['limit', '1'],
      ['metadata', 'false'],
    ] as const)
      query.set(name, value)
    const page = asWire(await this.#send({ method: 'GET', path: `/api/jobs/?${query}` }, options))
    return { total: Number(page.total), isExact: page.total_is_exact === true }
  }

  /** The children of a job, newest first unless the filter says otherwise. Pages are fetched as they are needed. */
  async *children(
    jobId: string,
    { sort, metadata, pageSize }: ChildFilter = {},
    options: CallOptions = {},
  ): AsyncGenerator<JobSummary, void> {
    const query = toQuery({ sort, metadata, limit: pageSize })
    for await (const page of this.#pages(`${pathOf(jobId)}/children`, query, options))
      for (const job of asList(page.jobs)) yield readSummary(job)
  }

  async get(jobId: string, options: CallOptions = {}): Promise<JobWithRelatives> {
    return readFullJob(await this.#send({ method: 'GET', path: pathOf(jobId) }, options))
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
   * The errors and warnings that any job of the organization has reported about an entity, newest first: about a second after
   * they were reported. Pages are fetched as they are needed. An empty key, '.' and '..' cannot be asked for.
   */
  async *entityEntries(
    entityType: string,
    entityKey: string,
    { pageSize }: Pick<EntryFilter, 'pageSize'> = {},
    options: CallOptions = {},
  ): AsyncGenerator<EntityEntry, void> {
    const path = `/api/entities/${encodeURIComponent(entityType)}/${encodeURIComponent(entityKey)}`
    for await (const page of this.#pages(path, toQuery({ limit: pageSize }), options))
      yield* readEntityEntries(page.entries)
  }

  /** The error types across the jobs that finished in a period of at most 31 days, widened to whole hours. */
  async errorGroups({ since, until }: Period = {}, options: CallOptions = {}): Promise<ErrorGroups> {
    const query = toQuery({ since: toTime(since), until: toTime(until) })
    return readErrorGroups(await this.#send({ method: 'GET', path: `/api/error-groups?${query}` }, options))
  }

  /** The errors and warnings of the job, counted by type. */
  async entryGroups(jobId: string, options: CallOptions = {}): Promise<EntryGroups> {
    return readGroups(await this.#send({ method: 'GET', path: `${pathOf(jobId)}/entry-groups` }, options))
  }

  /**
   * All errors that the API keeps of the job as a CSV file, as it comes: `await writeFile('errors.csv', jobs.errorsAsCsv(id))`. If
   * it breaks off, rejects with an UnreachableError.
   */
  errorsAsCsv(
    jobId: string,
    filter: Pick<EntryFilter, 'errorType'> = {},
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array, void> {
    return this.#csv(jobId, 'errors', filter, options)
  }

  /** The same for warnings. */
  warningsAsCsv(
    jobId: string,
    filter: Pick<EntryFilter, 'errorType'> = {},
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array, void> {
    return this.#csv(jobId, 'warnings', filter, options)
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

  #csv(
    jobId: string,
    kind: 'errors' | 'warnings',
    { errorType }: EntryFilter,
    { giveUpAfterMs = this.#connection.giveUpAfterMs, signal }: CallOptions,
  ): AsyncGenerator<Uint8Array, void> {
    const path = `${pathOf(jobId)}/${kind}?${toQuery({ error_type: errorType })}`
    return download({ ...this.#connection, giveUpAfterMs }, path, 'text/csv', signal)
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

function toJobQuery(filter: JobFilter): URLSearchParams {
  const query = toQuery({
    status: [filter.status ?? []].flat().join() || undefined,
    job_type: filter.jobType,
    triggered_by: filter.triggeredBy,
    created_after: toTime(filter.createdAfter),
    created_before: toTime(filter.createdBefore),
    stalled: filter.stalled,
    late: filter.late,
    q: filter.search,
    sort: filter.sort,
  })
  for (const [name, value] of Object.entries(filter.labels ?? {})) query.append('label', `${name}:${value}`)
  return query
}

function toQuery(values: Record<string, string | number | boolean | undefined>): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value))
  return query
}

function toTime(time: Date | string | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time
}
