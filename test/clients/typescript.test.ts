import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { JobClosedError, type JobReporter, Milepost } from 'milepost'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { freshOrganization, issueKey, startEdge } from '../edge/harness.ts'
import { startFlakyProxy } from './flaky-proxy.ts'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** A client through the proxy, and one that reaches the edge directly. */
async function connect(seed: number) {
  const { key } = await issueKey(edge, { org: freshOrganization() })
  const proxy = await startFlakyProxy(edge.url, seed)
  onTestFinished(() => proxy.close())
  const problems: Error[] = []
  const options = { key, reportsPerSecond: 25, onProblem: (problem: Error) => void problems.push(problem) }
  const flaky = new Milepost({ ...options, url: proxy.url })
  return { proxy, key, problems, flaky, direct: new Milepost({ ...options, url: edge.url }) }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const ROWS = 10_000
/** Bad rows, evenly among the others. */
const BAD = 500

/** Handles 10,000 rows in about two seconds and reports on each. */
async function importRows(job: JobReporter, reportRow: (job: JobReporter, done: number) => void) {
  job.started()
  let done = 0
  for (let row = 1; row <= ROWS; row++) {
    if (row === ROWS / 2) job.stage('second half')
    if (row % (ROWS / BAD) === 0)
      job.error({ entityType: 'row', entityKey: `row-${row}`, errorType: 'bad', message: 'Bad row' })
    else reportRow(job, ++done)
    if (row % 100 === 0) await pause(20)
  }
  return await job.complete()
}

test('10,000 rows are reported over a bad network, in few requests, and nothing is lost or doubled', async () => {
  const ways = [
    {
      seed: 11,
      reportRow: (job: JobReporter) => job.add(1, { created: 1 }),
      counters: { created: ROWS - BAD },
    },
    { seed: 12, reportRow: (job: JobReporter, done: number) => job.processed(done), counters: {} },
  ]
  const outcomes = await Promise.all(
    ways.map(async ({ seed, reportRow, counters }) => {
      const { proxy, problems, flaky, direct } = await connect(seed)
      const job = await flaky.createJob({ jobType: 'import', totalItems: ROWS })
      const finished = await importRows(job, reportRow)
      expect(await direct.jobs.get(job.jobId)).toMatchObject({
        status: 'partial_success',
        processedItems: ROWS - BAD,
        failedItems: BAD,
        errorCount: BAD,
        progressPercentage: 100,
        counters,
        stages: [{ stage: 'second half' }],
      })
      expect(finished.errorCount).toBe(BAD)
      const keys = (await collect(direct.jobs.errors(job.jobId))).map(({ entityKey }) => entityKey)
      expect(keys).toEqual(Array.from({ length: BAD }, (_, index) => `row-${(index + 1) * (ROWS / BAD)}`))
      expect(problems).toEqual([])
      return proxy
    }),
  )
  for (const { requests } of outcomes) expect(requests).toBeLessThan(200)
  // The proof is worth something only if the network was bad.
  const faults = (name: string) => outcomes.reduce((sum, proxy) => sum + (proxy.faults[name] ?? 0), 0)
  for (const name of ['dropped', 'reply_lost']) expect(faults(name)).toBeGreaterThan(0)
})

test('a worker whose job is canceled is told, and what it did until then is in the job', async () => {
  const { flaky, direct } = await connect(3)
  const job = await flaky.createJob({ jobType: 'import', totalItems: 10 })
  job.started()
  job.processed(1)
  await job.flush()
  await direct.jobs.cancel(job.jobId, 'The feed is outdated')
  let done = 1
  while (!job.signal.aborted) {
    job.processed(++done)
    await pause(5)
  }
  await expect(job.complete()).rejects.toMatchObject({ name: 'JobClosedError', status: 'cancelled' })
  expect(job.signal.reason).toBeInstanceOf(JobClosedError)
  const canceled = await direct.jobs.get(job.jobId)
  expect(canceled).toMatchObject({ status: 'cancelled', errorMessage: 'The feed is outdated' })
  expect(canceled.processedItems).toBe(done)
})

test('a job is listed, watched to its end over a bad network, and its entries are read', async () => {
  const { flaky, direct } = await connect(5)
  const job = await direct.createJob({
    jobType: 'watched',
    totalItems: 3,
    callbackUrl: 'https://example.com/',
  })
  const heard: string[] = []
  const onMessage = ({ message }: { message: string }) => heard.push(message)
  const watched = collect(flaky.jobs.watch(job.jobId, { onMessage }))
  job.report({ markStarted: true, stage: 'loading' })
  for (let n = 1; n <= 3; n++) {
    job.warning({ entityKey: `${n}`, errorType: n === 2 ? 'odd' : 'plain', message: 'Look' })
    job.processed(n)
    job.message(`row ${n}`)
    await job.flush()
  }
  await job.complete()
  const states = await watched
  const messages = ['row 1', 'row 2', 'row 3']
  expect(heard).toEqual(messages)
  expect((await flaky.jobs.messages(job.jobId)).map(({ message }) => message)).toEqual(messages)
  const { points, stages } = await flaky.jobs.history(job.jobId)
  expect(points[0]).toMatchObject({ processedItems: 0, failedItems: 0 })
  expect(points.at(-1)).toMatchObject({ timestamp: states.at(-1)?.completedAt, processedItems: 3 })
  expect(stages).toMatchObject([{ stage: 'loading' }])
  expect(states.at(-1)).toMatchObject({ jobId: job.jobId, status: 'completed_with_warnings' })
  const listed = await collect(
    flaky.jobs.list({ jobType: 'watched', createdAfter: new Date(0), pageSize: 1 }),
  )
  expect(listed.map(({ jobId }) => jobId)).toEqual([job.jobId])
  const counts = await collect(flaky.jobs.stats({ since: new Date(0), jobType: 'watched' }))
  expect(counts).toMatchObject([{ jobType: 'watched', status: 'completed_with_warnings', jobs: 1 }])
  expect(await collect(flaky.jobs.types())).toMatchObject([{ jobType: 'watched', jobs: 1 }])
  const progress = await flaky.jobs.status(job.jobId)
  expect(progress).toMatchObject({ processedItems: 3, progressPercentage: 100, stage: 'loading' })
  expect((await collect(job.entries('warnings', { pageSize: 2 }))).map(({ entityKey }) => entityKey)).toEqual(
    ['1', '2', '3'],
  )
  expect(await collect(flaky.jobs.warnings(job.jobId, { errorType: 'odd' }))).toHaveLength(1)
  // D1 may be a second behind.
  await vi.waitFor(async () => {
    const about = await collect(flaky.jobs.entityEntries('job', '2', { pageSize: 1 }))
    expect(about).toMatchObject([
      { kind: 'warning', jobId: job.jobId, jobType: 'watched', errorType: 'odd', message: 'Look' },
    ])
  }, 5_000)
  const counted = await flaky.jobs.errorGroups({ since: new Date(Date.now() - 3_600_000) })
  expect(counted).toMatchObject({ isPartial: false, errors: [], otherErrors: 0 })
  expect(counted.warnings).toContainEqual({
    errorType: 'plain',
    entries: 2,
    jobs: 1,
    previousEntries: 0,
    previousJobs: 0,
  })
  const { warnings } = await flaky.jobs.entryGroups(job.jobId)
  expect(warnings).toMatchObject([
    { errorType: 'plain', count: 2, sample: { entityType: 'job', entityKey: '3', message: 'Look' } },
    { errorType: 'odd', count: 1, firstSeen: expect.any(String) },
  ])
  const file = Buffer.concat(await collect(direct.jobs.warningsAsCsv(job.jobId))).toString()
  expect(file.match(/,[123],(odd|plain),Look,/g)).toHaveLength(3)
  await expect(collect(direct.jobs.errorsAsCsv('no-such-job'))).rejects.toMatchObject({ status: 404 })
})

const WORKER = `
import { Milepost } from 'milepost'
const milepost = new Milepost({ reportsPerSecond: 50 })
const [, given] = process.argv
const options = { onProgress: ({ processedItems }) => console.log(processedItems) }
const job = given
  ? milepost.job(given, options)
  : await milepost.createJob({ jobType: 'import', totalItems: 1000 }, options)
console.log(job.jobId)
job.started()
let { processedItems } = await milepost.jobs.get(job.jobId)
while (processedItems < 1000) {
  job.processed(++processedItems)
  await new Promise((resolve) => setTimeout(resolve, 1))
}
await job.complete()
`

test('of a worker that is killed, all that was acknowledged is there, and the next one goes on', async () => {
  const { key, direct } = await connect(1)
  const start = (...args: string[]) => {
    const worker = spawn(process.execPath, ['--input-type=module', '--eval', WORKER, ...args], {
      env: { ...process.env, MILEPOST_URL: edge.url, MILEPOST_API_KEY: key },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void worker.kill('SIGKILL'))
    return { worker, ended: once(worker, 'close'), lines: createInterface(worker.stdout) }
  }
  const first = start()
  let jobId = ''
  let acknowledged = 0
  for await (const line of first.lines) {
    if (jobId === '') jobId = line
    else acknowledged = Number(line)
    if (acknowledged > 100) first.worker.kill('SIGKILL')
  }
  await first.ended
  const left = await direct.jobs.get(jobId)
  expect(acknowledged).toBeGreaterThan(100)
  expect(left.status).toBe('in_progress')
  expect(left.processedItems).toBeGreaterThanOrEqual(acknowledged)
  expect(left.processedItems).toBeLessThan(1_000)

  const [code] = await start(jobId).ended
  expect(code).toBe(0)
  expect(await direct.jobs.get(jobId)).toMatchObject({ status: 'completed', processedItems: 1_000 })
})
