import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type FakeImport, openFakeImport } from '../../examples/feed-worker/fake-import.ts'
import { type FeedRun, runFeedWorker } from '../../examples/feed-worker/feed-worker.ts'
import { FILM_CATALOG } from '../../examples/feed-worker/mapping.ts'

let fakeImport: FakeImport
beforeAll(async () => {
  fakeImport = await openFakeImport()
})
afterAll(() => fakeImport.close())

interface Entry {
  entity_key: string
  entity_type: string
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

/** An API that records all reports. `answerReport` may replace its answer to one of them. */
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
    connection: { url: 'http://jobs.test', key: 'mp_x', giveUpAfterMs: 2_000, ...(fetch && { fetch }) },
    dispatchUrl: fakeImport.url,
    ...options,
  })
}

/** Writes the rows to a JSON file and removes it after `use`. */
async function withFeed<T>(rows: unknown[], use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'feed-worker-'))
  try {
    await writeFile(join(folder, 'feed.json'), JSON.stringify(rows))
    return await use(join(folder, 'feed.json'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('a feed goes through four stages, and items count as processed once the import has them', async () => {
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
  expect(reports.findLast(({ processed_items }) => processed_items !== undefined)?.processed_items).toBe(3)
  const errors = reports.flatMap((report) => report.errors ?? [])
  expect(errors.map(({ entity_key }) => entity_key)).toEqual(['row#2', 'tea#4'])
  expect(reports.find(({ metadata_patch }) => metadata_patch)?.metadata_patch).toEqual({
    import_job_id: outcome.importJobId,
  })
  expect(reports.at(-1)?.mark_completed).toBe(true)
  expect(fakeImport.countItems(outcome.importJobId ?? '')).toBe(3)
  expect(outcome.counts).toEqual({ rows: 5, usable: 3, errors: 2, warnings: 0, doubtful: 0 })
})

test('one report both names the import and completes the job, since a worker could die between two', async () => {
  const { reports, fetch } = recordReports()
  const outcome = await withFeed([{ name: 'Tea' }], (path) => run(path, fetch))
  if (outcome.kind !== 'finished') throw new Error(outcome.message)
  expect(reports.at(-1)).toMatchObject({
    stage: 'dispatched',
    message: `Dispatched as ${outcome.importJobId}`,
    mark_completed: true,
  })
})

test('a job that fails during the upload still names its import', async () => {
  const { reports, fetch } = recordReports()
  const { url } = await openImport({ job_id: 'enrichment-1', received: 1 }, {})
  const rows = [{ name: 'Tea' }, { name: 'Milk' }]
  await withFeed(rows, (path) => run(path, fetch, { batchRows: 1, dispatchUrl: url }))
  expect(reports.flatMap(({ metadata_patch }) => metadata_patch ?? [])).toEqual([
    { import_job_id: 'enrichment-1' },
  ])
  expect(reports.at(-1)).toHaveProperty('mark_failed')
})

test('no report exceeds the API limits of 500 entries and 1 MiB', async () => {
  const { reports, fetch } = recordReports()
  // The heaviest key possible: JSON escapes each of these characters with six.
  const key = '\u0001'.repeat(300)
  const rows = Array.from({ length: 2_200 }, () => ({ sku: key, name: '價'.repeat(300) }))
  await withFeed(rows, (path) =>
    run(path, fetch, { batchRows: 1_100, mapping: { title: 'name', key: 'sku' } }),
  )
  expect(reports.flatMap(({ errors }) => errors ?? [])).toHaveLength(2_199)
  for (const report of reports) {
    expect(report.errors?.length ?? 0).toBeLessThanOrEqual(500)
    expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(1024 * 1024)
  }
})

test('a product whose key looks like that of a refused row is a separate entity', async () => {
  const { reports, fetch } = recordReports()
  const rows = [
    { sku: 'tea', name: 'Tea' },
    { sku: 'tea', name: 'Tea' },
    { sku: 'tea#2', name: 'Garbled \uFFFD' },
  ]
  await withFeed(rows, (path) => run(path, fetch, { mapping: { title: 'name', key: 'sku' } }))
  const entries = reports.flatMap(({ errors = [], warnings = [] }) => [...errors, ...warnings])
  expect(entries.map(({ entity_type, entity_key }) => `${entity_type} ${entity_key}`)).toEqual([
    'row tea#2',
    'product tea#2',
  ])
})

test('a feed without usable rows dispatches nothing and completes the job', async () => {
  const { reports, fetch } = recordReports()
  const outcome = await withFeed([{ name: '' }], (path) => run(path, fetch))
  expect(outcome).toMatchObject({ kind: 'finished', importJobId: null })
  expect(reports.some(({ stage }) => stage === 'dispatched')).toBe(false)
})

test.for([
  ['the feed has no rows', [], {}, 'The feed has no rows'],
  [
    'the mapping belongs to another feed',
    [{ Title: 'Tea' }],
    {},
    'No row has a column "name": does the mapping belong to this feed?',
  ],
  [
    'the import is gone',
    [{ name: 'Tea' }],
    { dispatchUrl: 'http://127.0.0.1:1/' },
    'The import cannot be reached',
  ],
] as const)('when %s, the job fails with a plain message', async ([, rows, options, message]) => {
  const { reports, fetch } = recordReports()
  const outcome = await withFeed([...rows], (path) => run(path, fetch, options))
  expect(outcome).toMatchObject({ kind: 'failed', message })
  expect(reports.at(-1)).toMatchObject({ mark_failed: message })
})

/** An import that gives the replies in turn and counts the batches. */
async function openImport(...replies: object[]) {
  let batches = 0
  const server = createServer((_, response) => response.end(JSON.stringify(replies[batches++])))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, countBatches: () => batches }
}

test.for([
  [
    'counts fewer items than it was sent',
    [{ job_id: 'a', received: 0 }],
    'The import received 0 of the first 1 rows',
  ],
  [
    'changes its id',
    [
      { job_id: 'a', received: 1 },
      { job_id: 'b', received: 2 },
    ],
    'The import a continued under another id, b',
  ],
  [
    'counts half an item',
    [{ job_id: 'a', received: 0.5 }],
    'The import answered without a job_id and a count',
  ],
  ['is not an import', [[]], 'The import answered without a job_id and a count'],
] as const)('an import that %s fails the job and gets no batch twice', async ([, replies, message]) => {
  const { reports, fetch } = recordReports()
  const { url, countBatches } = await openImport(...replies)
  await withFeed([{ name: 'Tea' }, { name: 'Milk' }, { name: 'Salt' }], (path) =>
    run(path, fetch, { batchRows: 1, dispatchUrl: url }),
  )
  expect(reports.at(-1)).toMatchObject({ mark_failed: message })
  expect(countBatches()).toBe(replies.length)
})

test('a worker stopped before it creates a job creates none', async () => {
  let calls = 0
  const fetch = async () => {
    calls++
    return Response.json({})
  }
  const outcome = await run('/nowhere/feed.csv', fetch, { signal: AbortSignal.abort(new Error('Ctrl-C')) })
  expect(outcome).toEqual({ kind: 'stopped', jobId: null, message: 'The import stopped: Ctrl-C' })
  expect(calls).toBe(0)
})

test('a worker stopped while it creates the job fails it and does nothing else', async () => {
  const stop = new AbortController()
  const { reports, fetch } = recordReports()
  const slowToCreate: typeof fetch = async (url, init) => {
    if (url.endsWith('/progress')) return fetch(url, init)
    stop.abort(new Error('Ctrl-C'))
    await new Promise((resolve) => setImmediate(resolve))
    init.signal?.throwIfAborted()
    return fetch(url, init)
  }
  const outcome = await run('/nowhere/feed.csv', slowToCreate, { signal: stop.signal })
  expect(outcome).toMatchObject({ kind: 'failed', message: 'The import stopped: Ctrl-C' })
  expect(reports).toEqual([{ mark_failed: 'The import stopped: Ctrl-C' }])
})

test('a worker stopped after it dispatched everything completes its job', async () => {
  const stop = new AbortController()
  const { reports, fetch } = recordReports(({ mark_completed }) => {
    if (mark_completed) stop.abort(new Error('Ctrl-C'))
    return undefined
  })
  const outcome = await withFeed([{ name: 'Tea' }], (path) => run(path, fetch, { signal: stop.signal }))
  expect(outcome.kind).toBe('finished')
  expect(reports.at(-1)?.mark_completed).toBe(true)
})

test('a missing file fails the job', async () => {
  const { reports, fetch } = recordReports()
  await run('/nowhere/feed.csv', fetch)
  expect(reports.at(-1)).toMatchObject({ mark_failed: 'feed.csv does not exist' })
})

test('a refused report does not stop the import', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const { reports, fetch } = recordReports(({ stage }) =>
    stage === 'uploading' ? Response.json({ detail: 'No' }, { status: 422 }) : undefined,
  )
  const outcome = await withFeed([{ name: 'Tea' }], (path) => run(path, fetch))
  expect(outcome.kind).toBe('finished')
  expect(reports.at(-1)).toMatchObject({ mark_completed: true })
  expect(warn).toHaveBeenCalledWith('422 No')
})

test('when the job is canceled, the worker stops, and its last report has no mark', async () => {
  const { reports, fetch } = recordReports(({ stage }) =>
    stage === 'uploading' ? Response.json({ detail: 'Job is cancelled' }, { status: 409 }) : undefined,
  )
  const outcome = await withFeed([{ name: 'Tea' }], (path) => run(path, fetch))
  const message = expect.stringMatching(/^Job is cancelled/)
  expect(outcome).toEqual({ kind: 'closed', jobId: 'job_1', message })
  expect(reports.some((report) => report.mark_failed !== undefined || report.mark_completed)).toBe(false)
})

// Counted independently: 1 title is missing, 9 are numbers, and 24 repeat an earlier title.
test('of the 3,201 films in the demo, 34 are unusable and 313 doubtful', async () => {
  const { reports, fetch } = recordReports()
  const outcome = await run('node_modules/vega-datasets/data/movies.json', fetch, {
    mapping: FILM_CATALOG,
    today: new Date('2026-01-01'),
  })
  if (outcome.kind !== 'finished') throw new Error(outcome.message)
  expect(outcome.counts).toEqual({ rows: 3201, usable: 3167, errors: 34, warnings: 397, doubtful: 313 })
  expect(
    new Set(reports.flatMap(({ errors }) => errors ?? []).map(({ entity_key }) => entity_key)).size,
  ).toBe(34)
  expect(fakeImport.countItems(outcome.importJobId ?? '')).toBe(3167)
})
