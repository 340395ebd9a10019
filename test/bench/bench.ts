/** `npm run bench`: measures requests against a baseline in the same run, such as the least that any edge must do. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Edge, openEdge } from '../../scripts/edge.ts'
import { BenchOrganization, sampleError } from './bench-organization.ts'
import { type Figures, measure, type Request } from './load.ts'
import { fillList } from './many-jobs.ts'
import { measureWithNeighbor } from './neighbor.ts'
import { watchJob } from './watchers.ts'

const SECONDS = 4
const REPORT = '/api/jobs/{job_id}/progress'
const COUNTS = JSON.stringify({ processed_items: 40_000, stage: 'uploading' })
const ONE_ERROR = JSON.stringify({ processed_items: 40_000, error: sampleError(7) })

const state = await mkdtemp(join(tmpdir(), 'milepost-bench-'))
const floor = await openEdge({
  entry: join(import.meta.dirname, 'floor.ts'),
  persistTo: join(state, 'floor'),
  quiet: true,
})
const edge = await openEdge({
  persistTo: join(state, 'edge'),
  quiet: true,
  rateLimits: { REQUESTS: 1_000_000 },
})
try {
  await bench(await BenchOrganization.open(edge))
  await benchNeighbors()
} finally {
  await edge.dispose()
  await floor.dispose()
  await rm(state, { recursive: true, force: true })
}

async function bench(org: BenchOrganization): Promise<void> {
  const [one = ''] = await org.createJobs(1)
  const many = await org.createJobs(64)
  const counts = { method: 'POST', body: COUNTS } as const
  await load(floor, floorRequests(['warm']), 16)
  await load(edge, org.spread([one], counts, REPORT), 16)

  console.log('Reports of counts, against a floor of one object call and one row written\n')
  row('', 'floor/s', 'edge/s', 'ratio', 'edge ms', 'p99 ms')
  for (const [name, jobs, connections] of [
    ['1 connection, 1 job', [one], 1],
    ['64 connections, 1 job', [one], 64],
    ['64 connections, 64 jobs', many, 64],
  ] as const) {
    const base = await load(floor, floorRequests(jobs), connections)
    compare(name, base, await load(edge, org.spread([...jobs], counts, REPORT), connections))
  }

  console.log('\nThe same on jobs with entries (16 connections, 1 job), against a job without entries\n')
  row('', 'none/s', 'edge/s', 'ratio', 'edge ms', 'p99 ms')
  const [empty = ''] = await org.createJobs(1)
  for (const entries of [1_000, 99_000]) {
    const [full = ''] = await org.createJobs(1)
    await org.addErrors(full, entries)
    const base = await load(edge, org.spread([empty], counts, REPORT), 16)
    compare(`${entries} entries`, base, await load(edge, org.spread([full], counts, REPORT), 16))
  }
  const withError = { method: 'POST', body: ONE_ERROR } as const
  const [failing = ''] = await org.createJobs(1)
  const base = await load(edge, org.spread([empty], counts, REPORT), 16)
  compare('each report with an error', base, await load(edge, org.spread([failing], withError, REPORT), 16))

  console.log('\nReports on a watched job (16 connections), against the same job unwatched\n')
  row('', 'none/s', 'edge/s', 'ratio', 'edge ms', 'p99 ms')
  const [watched = ''] = await org.createJobs(1)
  const unwatched = await load(edge, org.spread([watched], counts, REPORT), 16)
  const watchers = await watchJob(edge, org, watched, 1_000)
  compare('1,000 watchers', unwatched, await load(edge, org.spread([watched], counts, REPORT), 16))
  console.log(`\n  ${await watchers.close()}`)

  console.log('\nLists of 100,000 jobs, 50 per page (4 connections), against lists of 1,000 jobs\n')
  row('', '1,000/s', '100,000/s', 'ratio', 'edge ms', 'p99 ms')
  const lists = await fillList(edge, [1_000, 100_000])
  for (const query of ['', '?status=failed', '?job_type=crawl&triggered_by=user-7']) {
    const [small, large] = lists.map(({ headers }) => [
      { method: 'GET', path: `/api/jobs/${query}`, headers } as const,
    ])
    compare(
      query || 'no filter',
      await load(edge, [...(small ?? [])], 4),
      await load(edge, [...(large ?? [])], 4),
    )
  }
}

async function benchNeighbors(): Promise<void> {
  console.log(
    '\nHow long one organization waits for its list of jobs, in ms, next to another that does its worst\n',
  )
  row('', 'alone p50', 'p99', 'busy p50', 'p99', 'ratio p50', 'p99')
  const shared = await openEdge({
    persistTo: join(state, 'shared'),
    quiet: true,
    rateLimits: { REQUESTS: 1_000_000 },
    bindings: { ARCHIVE_AFTER_SECONDS: 1 },
  })
  try {
    for await (const { act, alone, busy } of measureWithNeighbor(shared)) {
      const waits = [alone.p50, alone.p99, busy.p50, busy.p99].map((ms) => ms.toFixed(1))
      row(act, ...waits, (busy.p50 / alone.p50).toFixed(1), (busy.p99 / alone.p99).toFixed(1))
    }
  } finally {
    await shared.dispose()
  }
}

function load(target: Edge, requests: Request[], connections: number): Promise<Figures> {
  return measure(target.url, requests, { connections, seconds: SECONDS })
}

function floorRequests(jobs: readonly string[]): Request[] {
  return jobs.map((job) => ({ method: 'POST', path: `/${job}`, body: COUNTS }))
}

function compare(name: string, base: Figures, { requestsPerSecond, mean, p99 }: Figures): void {
  const ratio = (requestsPerSecond / base.requestsPerSecond).toFixed(2)
  row(
    name,
    base.requestsPerSecond.toFixed(0),
    requestsPerSecond.toFixed(0),
    ratio,
    mean.toFixed(1),
    p99.toFixed(0),
  )
}

function row(name: string, ...figures: string[]): void {
  console.log(`  ${name.padEnd(36)}${figures.map((figure) => figure.padStart(11)).join('')}`)
}
