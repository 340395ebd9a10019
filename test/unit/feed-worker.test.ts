import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FeedRun, runFeedWorker } from '../../examples/feed-worker/feed-worker.ts'
import { FILM_CATALOGUE } from '../../examples/feed-worker/mapping.ts'
import { openStandIn, type StandIn } from '../../examples/feed-worker/stand-in.ts'

let standIn: StandIn
beforeAll(async () => {
  standIn = await openStandIn()
})
afterAll(() => standIn.close())

interface Entry {
  entity_key: string
}
interface Body {
  stage?: string
  total_items?: number
  processed_items?: number
  metadata_patch?: object
  mark_completed?: boolean
  mark_failed?: string
  errors?: Entry[]
  warnings?: Entry[]
}

/** An API that keeps what was reported, and lets a test answer a report otherwise. */
function recordReports(answerReport: (body: Body) => Response | undefined = () => undefined) {
  const reports: Body[] = []
  const fetch = async (url: string, init: RequestInit) => {
    const body = JSON.parse(String(init.body)) as Body
    if (url.endsWith('/progress')) {
      const other = answerReport(body)
      if (other) return other
      reports.push(body)
    }
    return Response.json({ job_id: 'job_1', job_type: 'feed_import', status: 'in_progress', metadata: {} })
  }
  return { reports, fetch }
}

function run(feed: string, fetch: FeedRun['connection']['fetch'], options: Partial<FeedRun> = {}) {
  return runFeedWorker({
    source: feed,
    mapping: { title: 'name' },
    connection: { url: 'http://jobs.test', key: 'mp_x', giveUpAfterMs: 0, ...(fetch && { fetch }) },
    dispatchUrl: standIn.url,
    ...options,
  })
}

/** The rows as a JSON file, for as long as `use` runs. */
async function withFeed<T>(rows: unknown[], use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'feed-worker-'))
  try {
    await writeFile(join(folder, 'feed.json'), JSON.stringify(rows))
    return await use(join(folder, 'feed.json'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('a feed goes through its four stages; items count as processed once the import has them', async () => {
  const { reports, fetch } = recordReports()
  const rows = [{ name: 'Tea' }, { name: null }, { name: 'Milk' }, { name: 'tea' }, { name: 'Salt' }]
  const outcome = await withFeed(rows, (path) => run(path, fetch, { batchRows: 2 }))
  if (outcome.kind !== 'finished') throw new Error(outcome.message)

  expect(reports.map(({ stage }) => stage).filter(Boolean)).toEqual([
    'downloading',
    'transforming',
    'uploading',
    'dispatched',
  ])
  expect(reports.find(({ total_items }) => total_items !== undefined)?.total_items).toBe(5)
  expect(
    reports.map(({ processed_items }) => processed_items).filter((count) => count !== undefined),
  ).toEqual([2, 3])
  const errors = reports.flatMap((report) => report.errors ?? [])
  expect(errors.map(({ entity_key }) => entity_key)).toEqual(['row#2', 'tea#4'])
  expect(reports.at(-2)?.metadata_patch).toEqual({ import_job_id: outcome.importJobId })
  expect(reports.at(-1)?.mark_completed).toBe(true)
  expect(standIn.countItems(outcome.importJobId ?? '')).toBe(3)
  expect(outcome.counts).toEqual({ rows: 5, usable: 3, errors: 2, warnings: 0, doubtful: 0 })
})

test('thousands of bad rows are few reports, none with more than 500 entries', async () => {
  const { reports, fetch } = recordReports()
  const rows = Array.from({ length: 2_200 }, (_, row) => (row === 0 ? { name: 'Tea' } : {}))
  await withFeed(rows, (path) => run(path, fetch, { batchRows: 1_100 }))
  expect(reports.map(({ errors }) => errors?.length).filter(Boolean)).toEqual([500, 500, 99, 500, 500, 100])
})

test('with no usable row there is nothing to dispatch, and the job is completed all the same', async () => {
  const { reports, fetch } = recordReports()
  const outcome = await withFeed([{ name: '' }], (path) => run(path, fetch))
  expect(outcome).toMatchObject({ kind: 'finished', importJobId: null })
  expect(reports.some(({ stage }) => stage === 'dispatched')).toBe(false)
})

test.for([
  ['the feed has no rows', [], {}, 'The feed has no rows'],
  [
    'the mapping is of another feed',
    [{ Title: 'Tea' }],
    {},
    'No row has a column "name": is the mapping of this feed?',
  ],
  [
    'the import is gone',
    [{ name: 'Tea' }],
    { dispatchUrl: 'http://127.0.0.1:1/' },
    'The import stopped: fetch failed',
  ],
  [
    'it is told to stop',
    [{ name: 'Tea' }],
    { signal: AbortSignal.abort(new Error('Ctrl-C')) },
    'The import stopped: Ctrl-C',
  ],
] as const)('when %s, the job fails with a plain message', async ([, rows, options, message]) => {
  const { reports, fetch } = recordReports()
  const outcome = await withFeed([...rows], (path) => run(path, fetch, options))
  expect(outcome).toMatchObject({ kind: 'failed', message })
  expect(reports.at(-1)).toEqual({ mark_failed: message })
})

test('a file that does not exist fails the job', async () => {
  const { reports, fetch } = recordReports()
  await run('/nowhere/feed.csv', fetch)
  expect(reports.at(-1)).toEqual({ mark_failed: 'feed.csv does not exist' })
})

test('a report that is refused fails the job', async () => {
  const { reports, fetch } = recordReports(({ stage }) =>
    stage === 'uploading' ? Response.json({ detail: 'No' }, { status: 422 }) : undefined,
  )
  const outcome = await withFeed([{ name: 'Tea' }], (path) => run(path, fetch))
  expect(outcome.kind).toBe('failed')
  expect(reports.at(-1)).toEqual({ mark_failed: 'The import stopped: 422 No' })
})

test('a job that was cancelled meanwhile stops the worker, which reports nothing more', async () => {
  const { reports, fetch } = recordReports(({ stage }) =>
    stage === 'uploading' ? Response.json({ detail: 'Job is cancelled' }, { status: 409 }) : undefined,
  )
  const outcome = await withFeed([{ name: 'Tea' }], (path) => run(path, fetch))
  expect(outcome).toEqual({ kind: 'closed', jobId: 'job_1', message: 'Job is cancelled' })
  expect(reports.some((report) => report.mark_failed !== undefined || report.mark_completed)).toBe(false)
})

// Counted from the file by other means: 1 title missing, 9 that are numbers, 24 films of the same title as one before.
test('of the 3,201 films of the demo, 34 cannot be used and 313 are doubtful', async () => {
  const { reports, fetch } = recordReports()
  const outcome = await run('node_modules/vega-datasets/data/movies.json', fetch, {
    mapping: FILM_CATALOGUE,
    today: new Date('2026-01-01'),
  })
  if (outcome.kind !== 'finished') throw new Error(outcome.message)
  expect(outcome.counts).toEqual({ rows: 3201, usable: 3167, errors: 34, warnings: 397, doubtful: 313 })
  expect(
    new Set(reports.flatMap(({ errors }) => errors ?? []).map(({ entity_key }) => entity_key)).size,
  ).toBe(34)
  expect(standIn.countItems(outcome.importJobId ?? '')).toBe(3167)
})
