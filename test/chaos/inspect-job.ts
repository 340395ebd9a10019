import type { Edge } from '../../scripts/edge.ts'
import { TENANTS, type Tenant } from './edge-commands.ts'
import type { LedgerJob, RecordedEntry, SeenJob } from './ledger.ts'
import type { Stage } from './stage.ts'

export type D1 = Awaited<ReturnType<Edge['d1']>>

/** Rows per query. */
const PAGE = 5_000

/** The databases by binding. */
export type Databases = Record<string, D1>

export async function openDatabases({ edge }: Stage): Promise<Databases> {
  return Object.fromEntries(
    await Promise.all(TENANTS.map(async ({ database }) => [database, await edge.d1(database)] as const)),
  )
}

/** Reads a job from both sides: from the edge as a caller sees it, and from D1. */
export async function inspectJob(
  stage: Stage,
  databases: Databases,
  { jobId, tenant }: LedgerJob,
): Promise<SeenJob> {
  const { [tenant.database]: d1, ...others } = databases
  if (d1 === undefined) throw new Error(`There is no database ${tenant.database}`)
  const path = `/api/jobs/${jobId}`
  const response = await stage.get(tenant, path)
  if (!response.ok && response.status !== 404) throw new Error(`GET ${path} answered ${response.status}`)
  const body = (await response.json()) as Record<string, unknown>
  const exists = response.ok
  return {
    job: exists ? body : null,
    errors: exists ? await readLines(stage, tenant, `${path}/errors`) : [],
    warnings: exists ? await readLines(stage, tenant, `${path}/warnings`) : [],
    row: await d1
      .prepare('select * from jobs where organization_id = ? and job_id = ?')
      .bind(tenant.organization, jobId)
      .first(),
    recordedErrors: await readRecorded(d1, tenant, jobId, 'error'),
    recordedWarnings: await readRecorded(d1, tenant, jobId, 'warning'),
    strayRows: await countRows(Object.values(others), jobId),
  }
}

/** Reads the status and the number of entries of each job of a tenant from D1, without calling the edge. */
export async function countRecorded(d1: D1, { organization }: Tenant): Promise<Map<string, RecordedCounts>> {
  const [jobs, entries] = await d1.batch<Record<string, unknown>>([
    d1.prepare('select job_id, status from jobs where organization_id = ?').bind(organization),
    d1
      .prepare(
        'select job_id, kind, count(*) as count from job_entries where organization_id = ? group by 1, 2',
      )
      .bind(organization),
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

async function readLines(stage: Stage, tenant: Tenant, path: string): Promise<string[]> {
  const response = await stage.get(tenant, path, 'application/x-ndjson')
  if (!response.ok) throw new Error(`GET ${path} answered ${response.status}`)
  return (await response.text()).split('\n').filter((line) => line !== '')
}

async function countRows(databases: D1[], jobId: string): Promise<number> {
  const counts = databases.map((d1) =>
    d1
      .prepare(
        `select (select count(*) from jobs where job_id = ?1)
          + (select count(*) from job_entries where job_id = ?1) as count`,
      )
      .bind(jobId)
      .first<number>('count'),
  )
  return (await Promise.all(counts)).reduce<number>((sum, count) => sum + (count ?? 0), 0)
}

async function readRecorded(
  d1: D1,
  { organization }: Tenant,
  jobId: string,
  kind: string,
): Promise<RecordedEntry[]> {
  const all: RecordedEntry[] = []
  for (;;) {
    const { results } = await d1
      .prepare(
        `select seq, text from job_entries where organization_id = ? and job_id = ? and kind = ? and seq > ?
        order by seq limit ?`,
      )
      .bind(organization, jobId, kind, all.at(-1)?.seq ?? 0, PAGE)
      .all<RecordedEntry>()
    all.push(...results)
    if (results.length < PAGE) return all
  }
}
