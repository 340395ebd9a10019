import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { BenchOrganization, type Edge, type Request, sampleError } from '../bench-organization.ts'
import { fillList } from '../many-jobs.ts'
import type { CallerThread } from './caller-thread.ts'

/** How many callers the neighbor has. All of them call continuously. */
const CALLERS = 8
/** How long each measurement lasts. */
const DURATION_MS = 4_000
const ENTRIES = 100_000
const ERROR_TYPES = 1_000
const RARE = 'seen-once'
const HEAVY_JOBS = 100
/** Close to the limit on metadata. */
const METADATA = { note: 'x'.repeat(60_000) }
/** Close to the limit on a body. */
const MEGABYTE = JSON.stringify({
  errors: Array.from({ length: 500 }, (_, n) => ({ ...sampleError(n), message: 'x'.repeat(1_900) })),
})

/** How long a request for the list takes: percentiles, in ms. */
interface Waits {
  p50: number
  p99: number
}

interface NeighborResult {
  /** What the neighbor does. */
  act: string
  alone: Waits
  busy: Waits
}

/**
 * Measures how long one organization waits for its list of jobs, first alone and then while another organization does the worst
 * it can: one act after the other, then nearly all at once. The edge must archive finished jobs within seconds.
 */
export async function* measureWithNeighbor(edge: Edge): AsyncGenerator<NeighborResult> {
  const neighbor = await BenchOrganization.open(edge)
  const headers = await fillList(edge, 1_000)
  const waits = (until: Promise<unknown>) => readList(edge, headers, until)
  await waits(pause(DURATION_MS / 2))

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
    'pages of a rare error type': get(`${path}/errors?limit=1000&error_type=${RARE}`),
    'streams of all of its entries': [
      { method: 'GET', path: `${path}/errors`, headers: { Accept: 'application/x-ndjson' } },
    ],
    'lists of heavy jobs': get('/api/jobs/?limit=200'),
    'unknown ids': get('/api/jobs/unknown-{n}'),
    'one-megabyte reports': live.map((id) => ({
      method: 'POST',
      path: `/api/jobs/${id}/progress`,
      body: MEGABYTE,
    })),
  }
  const acts: [string, () => Promise<void>][] = [
    [`archiving a job with ${ENTRIES} entries`, archiving],
    ['empty lists', () => sendAll(edge, neighbor, get('/api/jobs/?status=cancelled'))],
    ...Object.entries(requests).map(([act, ones]): [string, () => Promise<void>] => [
      act,
      () => sendAll(edge, neighbor, ones),
    ]),
    ['the seven acts above, together', () => sendAll(edge, neighbor, Object.values(requests).flat())],
  ]
  for (const [act, perform] of acts) {
    const alone = await waits(pause(DURATION_MS))
    const busy = await waits(perform())
    yield { act, alone, busy }
  }
}

/** Requests the list again after each answer until `end` settles. Throws if a request is refused. */
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

/** Runs all callers in another thread, so only the edge and the machine are shared with the measurement. */
async function sendAll(edge: Edge, neighbor: BenchOrganization, requests: Request[]): Promise<void> {
  const workerData: CallerThread = {
    url: edge.url,
    callers: CALLERS,
    duration: DURATION_MS,
    requests: requests.map((request) => ({
      ...request,
      headers: { ...neighbor.headers, ...request.headers },
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

/** Waits until the job is archived. The entry groups are the last part to reach D1. */
async function untilArchived(edge: Edge, jobId: string): Promise<void> {
  const d1 = await edge.d1()
  const groups = d1.prepare('select count(*) as n from job_entry_groups where job_id = ?').bind(jobId)
  for (const deadline = Date.now() + 120_000; (await groups.first<number>('n')) !== ERROR_TYPES; ) {
    if (Date.now() > deadline) throw new Error(`${jobId} is not archived`)
    await pause(200)
  }
}
