import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { FakeStytch } from './fake-stytch.ts'
import { aCaller, anError, aRunningJob, aWorker, NEW_JOB } from './fixtures.ts'
import { call, freshOrganization, startEdge } from './harness.ts'
import { issueByCommand } from './keys-process.ts'
import { runScript } from './run-script.ts'

const DATABASES = ['DB', 'DB_2', 'DB_3']
const TABLES = ['jobs', 'job_entries', 'job_entry_groups', 'idempotent_replies']

let edge: Edge
let stytch: FakeStytch
let persistTo: string

beforeAll(async () => {
  stytch = await FakeStytch.open()
  edge = await startEdge({
    databases: DATABASES.length,
    bindings: { ...stytch.bindings, ARCHIVE_AFTER_SECONDS: 1 },
  })
  persistTo = edge.d1File().replace(/\/v3\/d1\/.*/, '')
})
afterAll(async () => {
  await edge?.dispose()
  await stytch?.close()
})

const organizations = (verb: string, ...args: string[]) =>
  runScript('organizations', [verb, '--local', '--persist-to', persistTo, ...args])

/** The rows that each database has of an organization. */
function rowsOf(org: string): Record<string, Record<string, number>> {
  const rows: Record<string, Record<string, number>> = {}
  for (const name of DATABASES) {
    const database = new DatabaseSync(edge.d1File(name), { readOnly: true })
    const count = (table: string) =>
      Number(database.prepare(`select count(*) as n from ${table} where organization_id = ?`).get(org)?.n)
    const found = Object.fromEntries(TABLES.map((table) => [table, count(table)]).filter(([, n]) => n !== 0))
    if (Object.keys(found).length > 0) rows[name] = found
    database.close()
  }
  return rows
}

// Each command is a process of its own, and a finished job leaves its object half a minute after its last report.
vi.setConfig({ testTimeout: 180_000 })

test.concurrent.each(DATABASES)(
  'an organization that lives in %s has everything there, and nothing elsewhere',
  async (database) => {
    const { org, path, report, reported, get, read, created } = await aWorker(edge, {}, { database })
    const keyed = { 'Idempotency-Key': 'k' }
    const first = await report({ mark_started: true, errors: [anError, anError] }, keyed)
    expect(first.status).toBe(200)
    const done = await reported({ mark_completed: true })
    expect(rowsOf(org)).toEqual({ [database]: { jobs: 1, job_entries: 2 } })
    // Archived: its groups and replies are there, too.
    const archived = { [database]: { jobs: 1, job_entries: 2, job_entry_groups: 1, idempotent_replies: 1 } }
    await vi.waitFor(() => expect(rowsOf(org)).toEqual(archived), { timeout: 90_000, interval: 500 })
    expect(await read()).toEqual(done)
    expect((await get(`${path}/errors`)).body.errors).toHaveLength(2)
    expect((await get('/api/jobs/')).body.jobs).toMatchObject([
      { job_id: created.job_id, status: done.status },
    ])
    expect(await report({ mark_started: true, errors: [anError, anError] }, keyed)).toMatchObject({
      text: first.text,
    })
  },
)

test('a key of organizations in several databases reaches each where it lives', async () => {
  const orgs = await Promise.all(DATABASES.map(async (database) => (await aCaller(edge, { database })).org))
  const { key } = await aCaller(edge, { org: orgs })
  for (const [at, org] of orgs.entries()) {
    const headers = { 'X-Organization-ID': org }
    const { body } = await call(edge, key, 'POST', '/api/jobs/', NEW_JOB, headers)
    expect((await call(edge, key, 'GET', '/api/jobs/', undefined, headers)).body.jobs).toHaveLength(1)
    expect((await call(edge, key, 'GET', `/api/jobs/${body.job_id}`, undefined, headers)).status).toBe(200)
    expect(rowsOf(org)).toEqual({ [DATABASES[at] ?? '']: { jobs: 1 } })
  }
})

test('while one database takes no writes, the jobs in the others are recorded as ever', async () => {
  const well = await aRunningJob(edge, {}, { database: 'DB' })
  const ill = await aRunningJob(edge, {}, { database: 'DB_2' })
  const statusIn = (database: string, jobId: string) => {
    const file = new DatabaseSync(edge.d1File(database), { readOnly: true })
    const row = file.prepare('select status from jobs where job_id = ?').get(jobId)
    file.close()
    return row?.status
  }
  const holder = new DatabaseSync(edge.d1File('DB_2'), { timeout: 10_000 })
  holder.exec('BEGIN IMMEDIATE')
  try {
    const [done] = await Promise.all([well, ill].map(({ reported }) => reported({ mark_completed: true })))
    expect(done.status).toBe('completed')
    expect(statusIn('DB', well.jobId)).toBe('completed')
    expect(statusIn('DB_2', ill.jobId)).toBe('in_progress')
    const startedAt = performance.now()
    const { jobId } = await aRunningJob(edge, {}, { database: 'DB_3' })
    expect(statusIn('DB_3', jobId)).toBe('in_progress')
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  } finally {
    holder.exec('ROLLBACK')
    holder.close()
  }
  await vi.waitFor(() => expect(statusIn('DB_2', ill.jobId)).toBe('completed'), {
    timeout: 60_000,
    interval: 500,
  })
})

test('new organizations spread: by their first key, and by their first session', async () => {
  const lived: string[] = []
  for (let n = 0; n < 3; n++) {
    const org = freshOrganization()
    await issueByCommand(persistTo, org)
    lived.push((await organizations('list', '--org', org)).stdout.trim())
  }
  for (let n = 0; n < 3; n++) {
    const org = freshOrganization()
    const Cookie = `stytch_session=${stytch.signIn({ org })}`
    const headers = { Cookie, 'Sec-Fetch-Site': 'same-origin' }
    const { status, body } = await call(edge, null, 'POST', '/api/jobs/', NEW_JOB, headers)
    expect(status).toBe(200)
    expect((await call(edge, null, 'GET', '/api/jobs/', undefined, headers)).body.jobs).toHaveLength(1)
    const [database = ''] = Object.keys(rowsOf(org))
    expect((await organizations('list', '--org', org)).stdout.trim()).toBe(database)
    lived.push(database)
    // A worker's key finds what the session made.
    const { get } = await aCaller(edge, { org, database: 'DB' })
    expect((await get(`/api/jobs/${body.job_id}`)).status).toBe(200)
  }
  expect(new Set(lived).size).toBe(3)
})

test('an organization without a place is in DB, and stays there when it gets another key', async () => {
  const { org, post } = await aCaller(edge)
  await post('/api/jobs/', NEW_JOB)
  await issueByCommand(persistTo, org)
  expect((await organizations('list', '--org', org)).stdout.trim()).toBe('DB')
  expect(rowsOf(org)).toEqual({ DB: { jobs: 1 } })
})

test('place says where an organization will live, until it has a job', async () => {
  const org = freshOrganization()
  expect(await organizations('place', '--org', org, '--to', 'DB_3')).toMatchObject({ code: 0 })
  const { post } = await aCaller(edge, { org })
  await post('/api/jobs/', NEW_JOB)
  expect(rowsOf(org)).toEqual({ DB_3: { jobs: 1 } })
  expect(await organizations('place', '--org', org, '--to', 'DB')).toMatchObject({
    code: 1,
    stderr: `${org} has jobs: use move\n`,
  })
})

test('list shows the databases', async () => {
  const { code, stdout } = await organizations('list')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^DB {4}\d+\.\d MB {2}\d+ organizations placed\nDB_2 .*\nDB_3 .*\n$/)
})

test.each([
  [['move', '--org', 'acme'], '--to takes one of DB, DB_2'],
  [['move', '--to', 'DB_2'], '--org takes the organization'],
  [['list', '--to', 'DB_2'], 'This command does not take --to'],
  [['place', '--org', 'acme', '--to', 'DB_2', '--settle-seconds', '1'], 'does not take --settle-seconds'],
  [['fetch'], 'Unknown command: fetch'],
])('%j ends with 2 and the usage', async ([verb = '', ...args], message) => {
  const { code, stdout, stderr } = await organizations(verb, ...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain('Usage:')
})

test('an organization does not move to a database that is not there', async () => {
  const { org } = await aCaller(edge)
  const { code, stderr } = await organizations('move', '--org', org, '--to', 'DB_9')
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'There is no database DB_9: there are DB, DB_2, DB_3\n',
  })
})
