/** `node scripts/simulate/measure.ts`: measures on this machine what `measured.ts` holds. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/d1'
import { hashServerApiKey, newServerApiKey } from '../../src/access/server-api-key.ts'
import { insertApiKey } from '../../src/store/api-keys.ts'
import { type Edge, openEdge } from '../edge.ts'
import type { Measured } from './measure-worker.ts'

const REPORTS = 4_000
/** The unit of the times in /proc, in ms. */
const TICK = 10

const state = await mkdtemp(join(tmpdir(), 'milepost-measure-'))
try {
  const measured = await withEdge('d1', join(import.meta.dirname, 'measure-worker.ts'), async ({ url }) => {
    const reply = await fetch(url)
    return (await reply.json()) as Measured
  })
  console.table(measured.batches)
  for (const kind of ['progress', 'status', 'entries'] as const) {
    const { fixed, each } = fitLine(measured.batches.map((batch) => [batch.records, batch[kind]]))
    console.log(`${kind}: ${fixed.toFixed(2)} ms and ${each.toFixed(4)} ms a record`)
  }
  const { query, jobBytes, entryBytes, rowCharacters, entryCharacters } = measured
  console.log(`query: ${query.toFixed(2)} ms`)
  console.log(`in D1: ${jobBytes.toFixed()} bytes a job, ${entryBytes.toFixed()} an entry`)
  console.log(`in a record: ${rowCharacters} characters a job, ${entryCharacters} an entry`)
  const cpu = await withEdge('report', undefined, measureReport)
  console.log(`report: ${cpu.toFixed(2)} ms of the runtime's CPU, the object's and the disk's included`)
} finally {
  await rm(state, { recursive: true, force: true })
}

async function withEdge<Result>(
  name: string,
  entry: string | undefined,
  use: (edge: Edge) => Promise<Result>,
): Promise<Result> {
  const edge = await openEdge({
    persistTo: join(state, name),
    quiet: true,
    rateLimits: { REQUESTS: 1_000_000 },
    ...(entry === undefined ? {} : { entry }),
  })
  try {
    return await use(edge)
  } finally {
    await edge.dispose()
  }
}

/** The CPU that the runtime uses for one report, in ms. */
async function measureReport(edge: Edge): Promise<number> {
  const call = await openCaller(edge)
  const { job_id } = await call('/api/jobs/', { job_type: 'import', total_items: REPORTS })
  const path = `/api/jobs/${job_id}/progress`
  let startedWith = 0
  for (let n = -1_000; n < REPORTS; n++) {
    if (n === 0) startedWith = cpuOf(edge.runtimePid())
    await call(path, { processed_items: Math.max(0, n) })
  }
  return (cpuOf(edge.runtimePid()) - startedWith) / REPORTS
}

async function openCaller(edge: Edge) {
  const key = newServerApiKey()
  await insertApiKey(drizzle(await edge.d1()), {
    keyHash: await hashServerApiKey(key),
    keyId: 'key_measure',
    organizationIds: ['org'],
    name: 'measure',
    permissions: ['job:create', 'job:read'],
    createdAt: Date.now(),
    expiresAt: null,
  })
  return async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const reply = await fetch(edge.url + path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`)
    return (await reply.json()) as Record<string, unknown>
  }
}

/** The CPU that a process has used, in ms. Linux only. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK
}

/** The least-squares line through points. */
function fitLine(points: [x: number, y: number][]): { fixed: number; each: number } {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const each = covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return { fixed: meanY - each * meanX, each }
}
