import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Edge } from '../../scripts/edge.ts'
import { BenchOrganization, sampleError } from './bench-organization.ts'
import type { CallerThread } from './caller-thread.ts'
import type { Request } from './load.ts'
import { fillList } from './many-jobs.ts'

/** How many callers the neighbor has, all of them at it all the time. */
const CALLERS = 8
/** How long one of its acts is measured beside, in ms. */
const LASTS = 4_000
const ENTRIES = 100_000
const ERROR_TYPES = 1_000
const RARE = 'seen-once'
const HEAVY_JOBS = 100
/** As much as metadata may take. */
const METADATA = { note: 'x'.repeat(60_000) }
/** As much as a body may take, nearly. */
const MEGABYTE = JSON.stringify({
  errors: Array.from({ length: 500 }, (_, n) => ({ ...sampleError(n), message: 'x'.repeat(1_900) })),
})

/** How long one request for the list takes, in ms: half of them at most, and 99 of 100. */
export interface Waits {
  p50: number
  p99: number
}

export interface NeighborResult {
  /** What the neighbor did. */
  act: string
  alone: Waits
  beside: Waits
}

/**
 * How long one organization waits for its list of jobs while another does the worst that it may, act by act and all at
 * once; and, just before each act, while nobody does anything. The edge is to archive finished jobs within seconds.
 */
export async function* measureBesideNeighbor(edge: Edge): AsyncGenerator<NeighborResult> {
  const neighbor = await BenchOrganization.open(edge)
  const [list] = await fillList(edge, [1_000])
  const waits = (until: Promise<unknown>) => readList(edge, list?.headers ?? {}, until)
  await waits(pause(LASTS / 2))

  const [job = '', ...live] = await neighbor.createJobs(1 + CALLERS)
  await fillJob(neighbor, job)
  const heavy = JSON.stringify({ job_type: 'heavy', total_items: 1, metadata: METADATA })
  for (let n = 0; n < HEAVY_JOBS; n++)
    await neighbor.send({ method: 'POST', path: '/api/jobs/', body: heavy })

  const path = `/api/jobs/${job}`
  const get = (...paths: string[]) => paths.map((path): Request => ({ method: 'GET', path }))
  const archiving = async () => {
    await neighbor.send({ method: 'POST', path: `${path}/progress`, body: '{"mark_completed":true}' })
    await untilArchived(edge, job)
  }
  const requests: Record<string, Request[]> = {
    'groups of its entries': get(`${path}/entry-groups`),
    'other reads of it': get(path, `${path}/status`, `${path}/errors?limit=1000`, `${path}/warnings`),
    'pages of one rare error type': get(`${path}/errors?limit=1000&error_type=${RARE}`),
    'all of its entries as a stream': [
      { method: 'GET', path: `${path}/errors`, headers: { Accept: 'application/x-ndjson' } },
    ],
    'lists of heavy jobs': get('/api/jobs/?limit=200'),
    'unknown ids': get('/api/jobs/unknown-{n}'),
    'reports of a megabyte': live.map((id) => ({
      method: 'POST',
      path: `/api/jobs/${id}/progress`,
      body: MEGABYTE,
    })),
  }
  const acts: [string, () => Promise<void>][] = [
    [`archiving a job with ${ENTRIES} entries`, archiving],
    ['lists with nothing on them', () => sendAll(edge, neighbor, get('/api/jobs/?status=cancelled'))],
    ...Object.entries(requests).map(([act, ones]): [string, () => Promise<void>] => [
      act,
      () => sendAll(edge, neighbor, ones),
    ]),
    ['all of these but the archiving', () => sendAll(edge, neighbor, Object.values(requests).flat())],
  ]
  for (const [act, perform] of acts) {
    const alone = await waits(pause(LASTS))
    const beside = await waits(perform())
    yield { act, alone, beside }
  }
}

/** Asks for the list over and over, each time once it is answered, until `end`. Throws where it is refused. */
async function readList(edge: Edge, headers: Record<string, string>, end: Promise<unknown>): Promise<Waits> {
  let isOver = false
  const ended = end.finally(() => {
    isOver = true
  })
  const waits: number[] = []
  while (!isOver) {
    const from = performance.now()
    const response = await fetch(`${edge.url}/api/jobs/`, { headers })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`The list was refused: ${response.status}`)
    waits.push(performance.now() - from)
  }
  await ended
  waits.sort((a, b) => a - b)
  const at = (share: number) => waits[Math.floor((waits.length - 1) * share)] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

/** All callers at once, in a thread of their own, so that it is only the edge and the machine that are shared. */
async function sendAll(edge: Edge, neighbor: BenchOrganization, requests: Request[]): Promise<void> {
  const workerData: CallerThread = {
    url: edge.url,
    callers: CALLERS,
    lasts: LASTS,
    requests: requests.map((request, n) => ({
      ...request,
      headers: { ...neighbor.headers(n), ...request.headers },
    })),
  }
  const thread = new Worker(join(import.meta.dirname, 'caller-thread.ts'), { workerData })
  await once(thread, 'exit')
}

async function fillJob(neighbor: BenchOrganization, jobId: string): Promise<void> {
  for (let from = 0; from < ENTRIES; from += 500) {
    const errors = Array.from({ length: 500 }, (_, n) => ({
      ...sampleError(from + n),
      error_type: from + n === ENTRIES - 1 ? RARE : `type-${(from + n) % (ERROR_TYPES - 1)}`,
    }))
    const body = JSON.stringify({ errors })
    await neighbor.send({ method: 'POST', path: `/api/jobs/${jobId}/progress`, body })
  }
}

/** Its groups are the last thing that D1 gets of a job. */
async function untilArchived(edge: Edge, jobId: string): Promise<void> {
  const d1 = await edge.d1()
  const groups = d1.prepare('select count(*) as n from job_entry_groups where job_id = ?').bind(jobId)
  for (const deadline = Date.now() + 120_000; (await groups.first<number>('n')) !== ERROR_TYPES; ) {
    if (Date.now() > deadline) throw new Error(`${jobId} is not archived`)
    await pause(200)
  }
}
