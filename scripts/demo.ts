/** `npm run demo`: starts an edge, issues a key, imports a real file with the feed worker, and checks the finished job. */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/d1'
import type { FeedCounts } from '../examples/feed-worker/check-rows.ts'
import { openFakeImport } from '../examples/feed-worker/fake-import.ts'
import { runFeedWorker } from '../examples/feed-worker/feed-worker.ts'
import { FILM_CATALOG } from '../examples/feed-worker/mapping.ts'
import { createProgressLine } from '../examples/feed-worker/progress-line.ts'
import { hashServerApiKey, newServerApiKey } from '../src/access/server-api-key.ts'
import { insertApiKey } from '../src/store/api-keys.ts'
import { type Edge, openEdge } from './edge.ts'

/** 3,201 films, as published: with numeric titles, duplicates, and dates that say "TBD". */
const FEED = join(import.meta.dirname, '../node_modules/vega-datasets/data/movies.json')

/** A fixed date, because the counts depend on which release dates lie in the future. */
const TODAY = new Date('2026-01-01')

/** After each batch, to make the progress bar visible. */
const PAUSE_MS = 40
/** Ten times what a worker needs: the demo is over in seconds. */
const REPORTS_PER_SECOND = 20

const SHOWN_ENTRIES = 2

type JobJson = Record<string, unknown> & { errors: unknown[]; warnings: unknown[] }

process.exitCode = await demo()

async function demo(): Promise<number> {
  const state = await mkdtemp(join(tmpdir(), 'milepost-demo-'))
  // At exit, not in `finally`: Ctrl-C must clean up too.
  process.on('exit', () => rmSync(state, { recursive: true, force: true }))
  let edge: Edge | undefined
  try {
    edge = await openEdge({ persistTo: state })
    console.log(`The edge is running at ${edge.url}`)
    await importFilms(edge)
    return 0
  } catch (failure) {
    console.error(`The demo failed: ${failure instanceof Error ? failure.message : failure}`)
    return 1
  } finally {
    await edge?.dispose()
  }
}

/** Throws if the import fails or any count is wrong. */
async function importFilms(edge: Edge): Promise<void> {
  const key = await issueKey(edge)
  const fakeImport = await openFakeImport()
  const line = createProgressLine(process.stdout)
  try {
    const outcome = await runFeedWorker({
      source: FEED,
      mapping: FILM_CATALOG,
      connection: { url: edge.url, key, reportsPerSecond: REPORTS_PER_SECOND },
      dispatchUrl: fakeImport.url,
      today: TODAY,
      pauseMs: PAUSE_MS,
      onProgress: line.show,
    })
    line.end()
    if (outcome.kind !== 'finished') throw new Error(outcome.message)

    const job = await getJob(edge.url, key, outcome.job.jobId)
    console.log(JSON.stringify(shorten(job, outcome.counts), null, 2))
    verify(job, outcome.counts, outcome.importJobId === null ? 0 : fakeImport.countItems(outcome.importJobId))
    const { rows, usable, errors, warnings } = outcome.counts
    console.log(
      `${rows} rows: ${usable} dispatched, ${errors} errors, ${warnings} warnings. The job's counts match.`,
    )
  } finally {
    await fakeImport.close()
  }
}

async function issueKey(edge: Edge): Promise<string> {
  const key = newServerApiKey()
  await insertApiKey(drizzle(await edge.d1()), {
    keyId: 'key_demo',
    keyHash: await hashServerApiKey(key),
    organizationIds: ['demo-shop'],
    name: 'feed-worker',
    permissions: ['job:create', 'job:read'],
    createdAt: Date.now(),
    expiresAt: null,
  })
  return key
}

/** Reads the job through the API, not from the worker. */
async function getJob(url: string, key: string, jobId: string): Promise<JobJson> {
  const response = await fetch(`${url}/api/jobs/${jobId}`, { headers: { authorization: `Bearer ${key}` } })
  if (!response.ok) throw new Error(`GET on the finished job returned ${response.status}`)
  return (await response.json()) as JobJson
}

/** Keeps the first few entries of the job and replaces the rest with a count. */
function shorten(job: JobJson, counts: FeedCounts): Record<string, unknown> {
  const cut = (entries: unknown[], all: number) => {
    const shown = entries.slice(0, SHOWN_ENTRIES)
    return all > shown.length ? [...shown, `… and ${all - shown.length} more`] : shown
  }
  return { ...job, errors: cut(job.errors, counts.errors), warnings: cut(job.warnings, counts.warnings) }
}

/** Compares the job's counts with the worker's own, and with what reached the import. */
function verify(job: JobJson, counts: FeedCounts, received: number): void {
  const expected: [what: string, found: unknown, wanted: unknown][] = [
    ['status', job.status, counts.errors > 0 ? 'partial_success' : 'completed_with_warnings'],
    ['total_items', job.total_items, counts.rows],
    ['processed_items', job.processed_items, counts.usable],
    ['failed_items', job.failed_items, counts.errors],
    ['warned_items', job.warned_items, counts.doubtful],
    ['progress_percentage', job.progress_percentage, 100],
    ['the newest errors', job.errors.length, Math.min(counts.errors, 100)],
    ['the newest warnings', job.warnings.length, Math.min(counts.warnings, 100)],
    ['items received by the import', received, counts.usable],
  ]
  const wrong = expected.filter(([, found, wanted]) => found !== wanted)
  if (wrong.length > 0) {
    throw new Error(
      wrong.map(([what, found, wanted]) => `${what}: ${found}, the worker counted ${wanted}`).join('; '),
    )
  }
}
