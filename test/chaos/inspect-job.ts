import type { Edge } from '../../scripts/edge.ts'
import { ORGANIZATION } from './edge-commands.ts'
import type { RecordedEntry, SeenJob } from './ledger.ts'
import type { Stage } from './stage.ts'

export type D1 = Awaited<ReturnType<Edge['d1']>>

/** Rows per query. */
const PAGE = 5_000

/** Reads a job from both sides: from the edge as a caller sees it, and from D1. */
export async function inspectJob(stage: Stage, d1: D1, jobId: string): Promise<SeenJob> {
  const path = `/api/jobs/${jobId}`
  const response = await stage.get(path)
  if (!response.ok && response.status !== 404) throw new Error(`GET ${path} answered ${response.status}`)
  const body = (await response.json()) as Record<string, unknown>
  const exists = response.ok
  return {
    job: exists ? body : null,
    errors: exists ? await readLines(stage, `${path}/errors`) : [],
    warnings: exists ? await readLines(stage, `${path}/warnings`) : [],
    row: await d1
      .prepare('select * from jobs where organization_id = ? and job_id = ?')
      .bind(ORGANIZATION, jobId)
      .first(),
    recordedErrors: await readRecorded(d1, jobId, 'error'),
    recordedWarnings: await readRecorded(d1, jobId, 'warning'),
  }
}

/** Reads the status and the number of entries of each job from D1, without calling the edge. */
export async function countRecorded(d1: D1): Promise<Map<string, RecordedCounts>> {
  const [jobs, entries] = await d1.batch<Record<string, unknown>>([
    d1.prepare('select job_id, status from jobs where organization_id = ?').bind(ORGANIZATION),
    d1
      .prepare(
        'select job_id, kind, count(*) as count from job_entries where organization_id = ? group by 1, 2',
      )
      .bind(ORGANIZATION),
  ])
  const counts = new Map<string, RecordedCounts>()
  for (const { job_id, status } of jobs?.results ?? []) {
    counts.set(String(job_id), { status: String(status), error: 0, warning: 0 })
  }
  for (const { job_id, kind, count } of entries?.results ?? []) {
    const job = counts.get(String(job_id))
    if (job !== undefined) job[kind as 'error' | 'warning'] = Number(count)
  }
  return counts
}

interface RecordedCounts {
  status: string
  error: number
  warning: number
}

async function readLines(stage: Stage, path: string): Promise<string[]> {
  const response = await stage.get(path, 'application/x-ndjson')
  if (!response.ok) throw new Error(`GET ${path} answered ${response.status}`)
  return (await response.text()).split('\n').filter((line) => line !== '')
}

async function readRecorded(d1: D1, jobId: string, kind: string): Promise<RecordedEntry[]> {
  const all: RecordedEntry[] = []
  for (;;) {
    const { results } = await d1
      .prepare(
        `select seq, text from job_entries where organization_id = ? and job_id = ? and kind = ? and seq > ?
        order by seq limit ?`,
      )
      .bind(ORGANIZATION, jobId, kind, all.at(-1)?.seq ?? 0, PAGE)
      .all<RecordedEntry>()
    all.push(...results)
    if (results.length < PAGE) return all
  }
}
