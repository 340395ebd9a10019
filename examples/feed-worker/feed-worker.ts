import { createJob, type JobReporter } from '../../src/client/job-reporter.ts'
import { type Connection, JobClosedError, UnreachableError } from '../../src/client/send-with-retries.ts'
import type { Job, Report, ReportedEntry } from '../../src/client/wire.ts'
import { checkRow, type FeedRow, type Item } from './check-row.ts'
import { FeedError } from './feed-error.ts'
import type { Mapping } from './mapping.ts'
import { nameFeed, readFeed } from './read-feed.ts'

export interface FeedRun {
  /** A path or an http(s) URL of a CSV, JSON or JSONL file. */
  source: string
  mapping: Mapping
  connection: Connection
  /** The address of `/import-json-async`. */
  dispatchUrl: string
  /** What the release dates are measured against; default the present day. */
  today?: Date
  /** Rows between two reports; default 100. */
  batchRows?: number
  /** Called with the job after each report, and awaited. */
  onProgress?: (job: Job) => void | Promise<void>
  /** Aborted: the run stops at the next batch, and the job fails with the signal's reason. */
  signal?: AbortSignal
}

/** The worker's own count, to hold against the job's. */
export interface FeedCounts {
  rows: number
  usable: number
  errors: number
  warnings: number
  /** Usable rows with at least one warning. */
  doubtful: number
}

export type FeedOutcome =
  /** `importJobId` is null when no row was usable. */
  | { kind: 'finished'; job: Job; counts: FeedCounts; importJobId: string | null }
  | { kind: 'failed'; job: Job; message: string }
  /** Someone else finished the job meanwhile, by cancelling it for instance. */
  | { kind: 'closed'; jobId: string; message: string }

/** The API takes no more entries than this in one report. */
const ENTRIES_PER_REPORT = 500

/**
 * Imports a product file and reports it as a job: downloading, transforming, uploading, dispatched. Whatever breaks on the
 * way fails the job with a plain message. Throws only where the API itself refuses to create the job or cannot be reached.
 */
export async function runFeedWorker(run: FeedRun): Promise<FeedOutcome> {
  const reporter = await createJob(run.connection, {
    jobType: 'feed_import',
    totalItems: 0,
    metadata: { source: nameFeed(run.source) },
    triggeredBy: 'feed-worker',
  })
  try {
    return await importFeed(run, reporter)
  } catch (failure) {
    if (failure instanceof JobClosedError) {
      return { kind: 'closed', jobId: reporter.jobId, message: failure.message }
    }
    // The report of the failure would wait as long again, and in vain.
    if (failure instanceof UnreachableError) throw failure
    const message = describeFailure(failure)
    try {
      return { kind: 'failed', job: await reporter.fail(message), message }
    } catch (closed) {
      if (!(closed instanceof JobClosedError)) throw closed
      return { kind: 'closed', jobId: reporter.jobId, message: closed.message }
    }
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
  const rows = await readFeed(run.source)
  // An empty feed is nearly always a mistake of the sender's; "completed" would hide it.
  if (rows.length === 0) throw new FeedError('The feed has no rows')
  refuseForeignFeed(rows, run.mapping)
  await report({ totalItems: rows.length, stage: 'transforming', message: `${rows.length} rows to check` })

  const { items, counts } = await transform(run, rows, report)

  await report({ stage: 'uploading', message: `${items.length} usable rows to upload` })
  const importJobId = await upload(run, items, report)

  if (importJobId !== null) {
    await report({
      stage: 'dispatched',
      metadataPatch: { import_job_id: importJobId },
      message: `Dispatched as ${importJobId}`,
    })
  }
  const job = await report({ markCompleted: true })
  return { kind: 'finished', job, counts, importJobId }
}

/** Checks all rows, reporting the errors and warnings of each batch as it goes. */
async function transform(run: FeedRun, rows: FeedRow[], report: (progress: Report) => Promise<Job>) {
  const today = run.today ?? new Date()
  const items: Item[] = []
  const firstRowOfKey = new Map<string, number>()
  const counts: FeedCounts = { rows: rows.length, usable: 0, errors: 0, warnings: 0, doubtful: 0 }
  let checked = 0

  for (const batch of cut(rows, run.batchRows ?? 100)) {
    const errors: ReportedEntry[] = []
    const warnings: ReportedEntry[] = []
    for (const row of batch) {
      const outcome = checkRow(row, run.mapping, today, firstRowOfKey)
      if (outcome.kind === 'refused') {
        errors.push(outcome.error)
        continue
      }
      firstRowOfKey.set(outcome.item.key, row.number)
      items.push(outcome.item)
      warnings.push(...outcome.warnings)
      if (outcome.warnings.length > 0) counts.doubtful++
    }
    checked += batch.length
    counts.errors += errors.length
    counts.warnings += warnings.length

    for (const part of cut(errors, ENTRIES_PER_REPORT)) await report({ errors: part })
    const [first, ...others] = cut(warnings, ENTRIES_PER_REPORT)
    for (const part of others) await report({ warnings: part })
    await report({ ...(first && { warnings: first }), message: `Checked ${checked} of ${rows.length} rows` })
  }
  counts.usable = items.length
  return { items, counts }
}

/** Sends the items batch by batch; an item is processed once the import has it. Returns the id of the import. */
async function upload(
  run: FeedRun,
  items: Item[],
  report: (progress: Report) => Promise<Job>,
): Promise<string | null> {
  let importJobId: string | null = null
  let received = 0
  for (const batch of cut(items, run.batchRows ?? 100)) {
    const reply = await postBatch(run.dispatchUrl, importJobId, batch)
    importJobId = reply.jobId
    received = reply.received
    await report({ processedItems: received, message: `Uploaded ${received} of ${items.length} rows` })
  }
  if (received !== items.length)
    throw new FeedError(`The import received ${received} of ${items.length} rows`)
  return importJobId
}

async function postBatch(url: string, importJobId: string | null, items: Item[]) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(importJobId === null ? { items } : { job_id: importJobId, items }),
    signal: AbortSignal.timeout(30_000),
  })
  if (!response.ok) throw new FeedError(`The import answered ${response.status}`)
  const reply = (await response.json()) as { job_id?: unknown; received?: unknown }
  if (typeof reply.job_id !== 'string' || typeof reply.received !== 'number') {
    throw new FeedError('The import answered without a job_id and a count')
  }
  return { jobId: reply.job_id, received: reply.received }
}

/** With the wrong mapping every row would lack its title: one clear failure instead of thousands of errors. */
function refuseForeignFeed(rows: FeedRow[], { title }: Mapping): void {
  const hasTitle = (row: FeedRow) =>
    'value' in row && typeof row.value === 'object' && row.value !== null && Object.hasOwn(row.value, title)
  if (!rows.some(hasTitle))
    throw new FeedError(`No row has a column "${title}": is the mapping of this feed?`)
}

function cut<T>(all: T[], size: number): T[][] {
  const parts: T[][] = []
  for (let start = 0; start < all.length; start += size) parts.push(all.slice(start, start + size))
  return parts
}

/** For the operators who read the job: one sentence, no stack. */
function describeFailure(failure: unknown): string {
  const message = failure instanceof Error ? failure.message : String(failure)
  return (failure instanceof FeedError ? message : `The import stopped: ${message}`)
    .slice(0, 1_000)
    .toWellFormed()
}
