import { createJob, JobReporter } from '../../src/client/job-reporter.ts'
import { type Connection, JobClosedError, UnreachableError } from '../../src/client/send-with-retries.ts'
import type { Job, Report } from '../../src/client/wire.ts'
import type { FeedRow } from './check-row.ts'
import { checkRows, type FeedCounts } from './check-rows.ts'
import { delayAbort } from './delay-abort.ts'
import { FeedError } from './feed-error.ts'
import type { Mapping } from './mapping.ts'
import { nameFeed, readFeed } from './read-feed.ts'
import { uploadItems } from './upload-items.ts'

export interface FeedRun {
  /** A path or an http(s) URL of a CSV, JSON or JSONL file, plain or gzip. */
  source: string
  mapping: Mapping
  /** `FeedRun.signal` takes the place of the connection's own signal. */
  connection: Omit<Connection, 'signal'>
  /** The URL of `/import-json-async`. */
  dispatchUrl: string
  /** Release dates far beyond this day are doubtful. Default: now. */
  today?: Date
  /** How many rows to check or upload between two reports. Default 100. */
  batchRows?: number
  /** Called with the job after each report. The run awaits it. */
  onProgress?: (job: Job) => void | Promise<void>
  /** When aborted, the run ends within about a second, and the job fails with the signal's reason. */
  signal?: AbortSignal
}

export type FeedOutcome =
  /** `importJobId` is null if no row was usable. */
  | { kind: 'finished'; job: Job; counts: FeedCounts; importJobId: string | null }
  | { kind: 'failed'; job: Job; message: string }
  /** Someone else finished the job, for example by canceling it. */
  | { kind: 'closed'; jobId: string; message: string }
  /** Aborted before the API confirmed a job (`jobId` is null), or while the API was unreachable (the job stays open). */
  | { kind: 'stopped'; jobId: string | null; message: string }

/** A killed worker cannot report it. The API flags the job as stalled after this long without a report. */
const STALL_AFTER_SECONDS = 300

/** After an abort, how long the current call may still take. It may be creating the job that has to be failed. */
const CURRENT_CALL_MS = 400

/** After an abort, how long reporting the failure may take. */
const FAILURE_REPORT_MS = 800

/**
 * Imports a product file and reports on it as a job: downloading, transforming, uploading, dispatched. Any failure on the way
 * fails the job with a plain message. Throws only if the API refuses to create the job or cannot be reached.
 */
export async function runFeedWorker(run: FeedRun): Promise<FeedOutcome> {
  const connection = { ...run.connection, signal: delayAbort(run.signal, CURRENT_CALL_MS) }
  let reporter: JobReporter
  try {
    run.signal?.throwIfAborted()
    reporter = await createJob(connection, {
      jobType: 'feed_import',
      totalItems: 0,
      metadata: { source: nameFeed(run.source) },
      triggeredBy: 'feed-worker',
      stallAfterSeconds: STALL_AFTER_SECONDS,
    })
  } catch (failure) {
    if (!run.signal?.aborted || failure !== run.signal.reason) throw failure
    return { kind: 'stopped', jobId: null, message: describeFailure(failure) }
  }
  try {
    return await importFeed(run, reporter)
  } catch (failure) {
    if (failure instanceof JobClosedError) {
      return { kind: 'closed', jobId: reporter.jobId, message: failure.message }
    }
    // Reporting the failure would only wait just as long for the same API.
    if (failure instanceof UnreachableError && !run.signal?.aborted) throw failure
    return await failJob(run, reporter.jobId, describeFailure(failure))
  }
}

async function failJob(run: FeedRun, jobId: string, message: string): Promise<FeedOutcome> {
  const connection = { ...run.connection, signal: delayAbort(run.signal, FAILURE_REPORT_MS) }
  try {
    return { kind: 'failed', job: await new JobReporter(connection, jobId).fail(message), message }
  } catch (failure) {
    if (failure instanceof JobClosedError) return { kind: 'closed', jobId, message: failure.message }
    if (run.signal?.aborted) return { kind: 'stopped', jobId, message }
    throw failure
  }
}

async function importFeed(run: FeedRun, reporter: JobReporter): Promise<FeedOutcome> {
  const report = async (progress: Report) => {
    run.signal?.throwIfAborted()
    const job = await reporter.report(progress)
    await run.onProgress?.(job)
    return job
  }

  await report({ markStarted: true, stage: 'downloading', message: `Reading ${nameFeed(run.source)}` })
  const rows = await readFeed(run.source, { signal: run.signal })
  // An empty feed is almost always the sender's mistake. "completed" would hide it.
  if (rows.length === 0) throw new FeedError('The feed has no rows')
  refuseForeignFeed(rows, run.mapping)
  await report({ totalItems: rows.length, stage: 'transforming', message: `${rows.length} rows to check` })

  const { mapping, today = new Date(), batchRows = 100 } = run
  const { items, counts } = await checkRows(rows, { mapping, today, batchRows, report })

  await report({ stage: 'uploading', message: `${items.length} usable rows to upload` })
  const importJobId = await uploadItems(items, {
    url: run.dispatchUrl,
    batchRows,
    signal: run.signal,
    onBatch: async (jobId, received) => {
      await report({
        processedItems: received,
        // Report it with every batch: an abandoned import must be findable from the job.
        metadataPatch: { import_job_id: jobId },
        message: `Uploaded ${received} of ${items.length} rows`,
      })
    },
  })

  // One report, not two: a worker that died between them would leave a finished job open.
  const dispatched = { stage: 'dispatched', message: `Dispatched as ${importJobId}` }
  const job = await reporter.report({ ...(importJobId !== null && dispatched), markCompleted: true })
  await run.onProgress?.(job)
  return { kind: 'finished', job, counts, importJobId }
}

/** With the wrong mapping, every row lacks its title. Fail once and clearly instead of reporting thousands of errors. */
function refuseForeignFeed(rows: FeedRow[], { title }: Mapping): void {
  const hasTitle = (row: FeedRow) =>
    'value' in row && typeof row.value === 'object' && row.value !== null && Object.hasOwn(row.value, title)
  if (!rows.some(hasTitle))
    throw new FeedError(`No row has a column "${title}": does the mapping belong to this feed?`)
}

/** Describes a failure for the operators who read the job: one sentence, no stack. */
function describeFailure(failure: unknown): string {
  const message = failure instanceof Error ? failure.message : String(failure)
  return (failure instanceof FeedError ? message : `The import stopped: ${message}`)
    .slice(0, 1_000)
    .toWellFormed()
}
