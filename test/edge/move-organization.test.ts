import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aCaller, anError, NEW_JOB } from './fixtures.ts'
import { startEdge } from './harness.ts'
import { type Run, runScript } from './run-script.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })

const PHASES = ['copying', 'closed', 'switched', 'clearing']
const WORKERS = 8
/** Errors that each worker reports on a job before it finishes it. */
const ERRORS = 12

let edge: Edge

beforeAll(async () => {
  edge = await startEdge({ databases: 2, bindings: { ARCHIVE_AFTER_SECONDS: 1 } })
})
afterAll(() => edge?.dispose())

type Caller = Awaited<ReturnType<typeof aCaller>>

/** What was acknowledged of a job. */
interface Acknowledged {
  jobId: string
  errors: string[]
  processed: number
  status: string
}

/** Creates jobs one after another, reports on each and finishes it, until it is told to stop. */
async function work(
  caller: Caller,
  name: string,
  acknowledged: Acknowledged[],
  signal: AbortSignal,
): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const keyed = n % 2 === 0 ? { 'Idempotency-Key': `${name} ${n}` } : undefined
    const created = await caller.post('/api/jobs/', NEW_JOB, keyed)
    expect(created).toMatchObject({ status: 200 })
    const job: Acknowledged = { jobId: created.body.job_id, errors: [], processed: 0, status: 'pending' }
    acknowledged.push(job)
    for (let step = 1; step <= ERRORS && !signal.aborted; step++) {
      const entity_key = `${name}-${n}-${step}`
      const report = { mark_started: true, processed_items: step, error: { ...anError, entity_key } }
      expect(await caller.post(`/api/jobs/${job.jobId}/progress`, report)).toMatchObject({ status: 200 })
      job.errors.push(entity_key)
      Object.assign(job, { processed: step, status: 'in_progress' })
      await pause(20)
    }
    // Every fourth job stays as it is.
    if (n % 4 === 3 || signal.aborted) continue
    expect(await caller.post(`/api/jobs/${job.jobId}/progress`, { mark_completed: true })).toMatchObject({
      status: 200,
    })
    job.status = 'partial_success'
  }
}

/** All that the API tells of a job; what a running job's clock changes is left out. */
async function toldOf({ get }: Caller, jobId: string) {
  const path = `/api/jobs/${jobId}`
  const { body } = await get(path)
  const { duration_seconds: _, rate_per_second: __, eta_seconds: ___, ...job } = body
  const errors = (await get(`${path}/errors?limit=1000`)).body
  return { job, errors, groups: (await get(`${path}/entry-groups`)).body }
}

async function listed({ get }: Caller): Promise<Map<string, string>> {
  const statuses = new Map<string, string>()
  for (let cursor = ''; ; ) {
    const { body } = await get(`/api/jobs/?limit=200${cursor}`)
    for (const { job_id, status } of body.jobs) {
      expect(statuses.has(job_id)).toBe(false)
      statuses.set(job_id, status)
    }
    if (body.next_cursor === null) return statuses
    cursor = `&cursor=${body.next_cursor}`
  }
}

function move(org: string, to: string, killAt: string | undefined): Promise<Run> {
  const persistTo = edge.d1File().replace(/\/v3\/d1\/.*/, '')
  const args = [
    'move',
    '--local',
    '--persist-to',
    persistTo,
    '--org',
    org,
    '--to',
    to,
    '--settle-seconds',
    '2',
  ]
  return runScript('organizations', args, (line, child) => {
    if (killAt !== undefined && line.startsWith(killAt)) child.kill('SIGKILL')
  })
}

/** The rows of a table that a database has of an organization. */
function rowsIn(database: string, table: string, org: string): Record<string, unknown>[] {
  const file = new DatabaseSync(edge.d1File(database), { readOnly: true })
  const rows = file.prepare(`select * from ${table} where organization_id = ?`).all(org)
  file.close()
  return rows
}

test('an organization moves under load, killed in each phase: nothing is lost, doubled or different', async () => {
  const caller = await aCaller(edge, { database: 'DB' })
  const { org } = caller
  const acknowledged: Acknowledged[] = []
  const settled = new AbortController()
  await Promise.all([
    ...Array.from({ length: 4 }, (_, n) => work(caller, `before${n}`, acknowledged, settled.signal)),
    pause(4_000).then(() => settled.abort()),
  ])
  const before = await Promise.all(
    acknowledged.map(async (job) => ({ job: { ...job }, told: await toldOf(caller, job.jobId) })),
  )

  const stop = new AbortController()
  const workers = Array.from({ length: WORKERS }, (_, n) =>
    work(caller, `worker${n}`, acknowledged, stop.signal),
  )
  const working = Promise.all(workers).finally(() => stop.abort())
  for (const phase of PHASES) {
    expect((await move(org, 'DB_2', phase)).code).toBeNull()
    await pause(500)
  }
  const last = await move(org, 'DB_2', undefined)
  expect(last).toMatchObject({ code: 0, stdout: '' })
  expect(last.stderr).toContain(`${org} lives in DB_2`)
  await pause(1_000)
  stop.abort()
  await working

  // A key that is new knows the new place at once.
  const fresh = await aCaller(edge, { org })
  const isRecorded = async () => {
    const statuses = await listed(fresh)
    expect(statuses).toEqual(new Map(acknowledged.map(({ jobId, status }) => [jobId, status])))
  }
  await vi.waitFor(isRecorded, { timeout: 60_000, interval: 1_000 })
  for (const { job, told } of before) expect(await toldOf(fresh, job.jobId)).toEqual(told)
  for (const { jobId, errors, processed, status } of acknowledged) {
    const told = await toldOf(fresh, jobId)
    expect(told.job).toMatchObject({ status, processed_items: processed, error_count: errors.length })
    expect(told.errors.errors.map(({ entity_key }: { entity_key: string }) => entity_key)).toEqual(errors)
  }

  const count = (database: string, table: string) => rowsIn(database, table, org).length
  for (const table of ['jobs', 'job_entries', 'job_entry_groups', 'idempotent_replies'])
    expect(count('DB', table)).toBe(0)
  expect(count('DB_2', 'jobs')).toBe(acknowledged.length)
  const reported = acknowledged.reduce((sum, { errors }) => sum + errors.length, 0)
  await vi.waitFor(() => expect(count('DB_2', 'job_entries')).toBe(reported), { timeout: 60_000 })
  console.log(`${acknowledged.length} jobs, ${reported} errors`)
})
