import { setTimeout as pause } from 'node:timers/promises'
import { type Job, type JobReporter, Milepost, type MilepostOptions, UnreachableError } from 'milepost'
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
  /** How to reach the Jobs API. */
  connection: MilepostOptions
  /** The URL of `/import-json-async`. */
  dispatchUrl: string
  /** Release dates far beyond this day are doubtful. Default: now. */
  today?: Date
  /** How many rows to check or upload at a time. Default 100. */
  batchRows?: number
  /** How long to pause after each batch, in ms. Default 0: only long enough for reports to go out. */
  pauseMs?: number
  /** Called with the job after each report that has arrived. */
  onProgress?: (job: Job) => void
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

/** After an abort, how long each of two attempts to tell the API may take. The first may be creating the job. */
const LAST_CALL_MS = 400

/**
 * Imports a product file and reports on it as a job: downloading, transforming, uploading, dispatched. Any failure on the way
 * fails the job with a plain message. Throws only if the API refuses to create the job, or cannot be reached for so long that the
 * client gives up.
 */
export async function runFeedWorker(run: FeedRun): Promise<FeedOutcome> {
  const milepost = new Milepost(run.connection)
  let job: JobReporter
  try {
    run.signal?.throwIfAborted()
    job = await milepost.createJob(
      {
        jobType: 'feed_import',
        totalItems: 0,
        metadata: { source: nameFeed(run.source) },
        triggeredBy: 'feed-worker',
        stallAfterSeconds: STALL_AFTER_SECONDS,
      },
      {
        signal: delayAbort(run.signal, LAST_CALL_MS),
        ...(run.onProgress && { onProgress: run.onProgress }),
        // Of a worker that is being stopped, only the outcome matters.
        onProblem: (problem) => run.signal?.aborted || console.warn(problem.message),
      },
    )
  } catch (failure) {
    if (!run.signal?.aborted || failure !== run.signal.reason) throw failure
    return { kind: 'stopped', jobId: null, message: describeFailure(failure) }
  }
  try {
    return await importFeed(run, job)
  } catch (failure) {
    if (job.signal.aborted) return await describeClosed(job)
    // Reporting the failure would only wait just as long for the same API.
    if (failure instanceof UnreachableError && !run.signal?.aborted) throw failure
    return await failJob(run, milepost, job, describeFailure(failure))
  } finally {
    job.close()
  }
}

/** Someone else ended the job. Waits until the client has sent what still counts. */
async function describeClosed(job: JobReporter): Promise<FeedOutcome> {
  const closed: unknown = await job.flush().catch((failure) => failure)
  return { kind: 'closed', jobId: job.jobId, message: closed instanceof Error ? closed.message : '' }
}

async function failJob(
  run: FeedRun,
  milepost: Milepost,
  job: JobReporter,
  message: string,
): Promise<FeedOutcome> {
  const { jobId } = job
  try {
    const failed = await job.fail(message, { signal: delayAbort(run.signal, LAST_CALL_MS) })
    return { kind: 'failed', job: failed, message }
  } catch (failure) {
    if (job.signal.aborted) return await describeClosed(job)
    if (!run.signal?.aborted) throw failure
  }
  // A report before it does not get through. Give that one up, and tell only the failure.
  job.close()
  try {
    const failed = await milepost.job(jobId).fail(message, { giveUpAfterMs: LAST_CALL_MS })
    return { kind: 'failed', job: failed, message }
  } catch {
    return { kind: 'stopped', jobId, message }
  }
}

async function importFeed(run: FeedRun, job: JobReporter): Promise<FeedOutcome> {
  const signal = run.signal ? AbortSignal.any([run.signal, job.signal]) : job.signal
  signal.throwIfAborted()
  const nextBatch = async () => {
    await job.drained({ signal })
    await pause(run.pauseMs ?? 0, undefined, { signal })
  }

  job.report({ markStarted: true, stage: 'downloading', message: `Reading ${nameFeed(run.source)}` })
  const rows = await readFeed(run.source, { signal })
  // An empty feed is almost always the sender's mistake. "completed" would hide it.
  if (rows.length === 0) throw new FeedError('The feed has no rows')
  refuseForeignFeed(rows, run.mapping)
  job.report({ totalItems: rows.length, stage: 'transforming', message: `${rows.length} rows to check` })

  const { mapping, today = new Date(), batchRows = 100 } = run
  const { items, counts } = await checkRows(rows, { mapping, today, batchRows, job, nextBatch })

  job.report({ stage: 'uploading', message: `${items.length} usable rows to upload` })
  const importJobId = await uploadItems(items, {
    url: run.dispatchUrl,
    batchRows,
    signal,
    onBatch: async (jobId, received) => {
      job.report({
        processedItems: received,
        // Report it with every batch: an abandoned import must be findable from the job.
        metadataPatch: { import_job_id: jobId },
        message: `Uploaded ${received} of ${items.length} rows`,
      })
      await nextBatch()
    },
  })

  if (importJobId !== null) job.report({ stage: 'dispatched', message: `Dispatched as ${importJobId}` })
  return { kind: 'finished', job: await job.complete(), counts, importJobId }
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
