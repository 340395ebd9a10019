import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobAddress, Placement } from '../../src/jobs/placement.ts'
import { deleteOldJobs } from '../../src/store/delete-old-jobs.ts'
import { saveEntryGroups } from '../../src/store/entry-groups.ts'
import { saveReplies } from '../../src/store/idempotent-replies.ts'
import { MoveError, type Stores } from '../../src/store/move/ends.ts'
import { moveOrganization } from '../../src/store/move/move-organization.ts'
import { findPlacement } from '../../src/store/organizations.ts'
import { openStore } from '../../src/store/store.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, aNewJob, anError, HOUR, reported, runAlarmAt, store } from './fixtures.ts'
import { hookedStore } from './hooked-store.ts'
import { recordJob } from './record-job.ts'
import { NO_ROWS, rowsOf } from './rows-of.ts'

vi.setConfig({ testTimeout: 120_000 })

const second = openStore(env.DB_2)
const stores: Stores = { DB: store, DB_2: second }
const quiet = { settleMs: 0, restMs: 0, now: Date.now, sleep: async () => {}, say: () => {} }

type Around = Parameters<typeof hookedStore>[1]
const hooked = (around: Around): Stores => ({
  DB: hookedStore(env.DB, around),
  DB_2: hookedStore(env.DB_2, around),
})

const move = (organizationId: string, to: string, through = stores) =>
  moveOrganization(through, organizationId, to, quiet)

/** An organization with a job, two entries, a group and a reply in `DB`, and a job that is only counted any more. */
async function anOrganization(): Promise<string> {
  const key = aJobKey()
  const { organizationId, jobId } = key
  const entries = [1, 2].map((seq) => ({ kind: 'error' as const, seq, text: `{"seq":${seq}}` }))
  const job = aJob({ jobId, keptErrors: 2, revision: 1 })
  await recordJob(store, { key, job, entries, unfinished: false, onlyProgress: false })
  await saveEntryGroups(store, key, [
    { kind: 'error', rank: 1, errorType: 'bad', count: 2, firstSeq: 1, lastSeq: 2 },
  ])
  await saveReplies(store, key, [{ request: { key: 'k', fingerprint: 'f' }, asOf: 1, job: null }])
  const gone = { status: 'failed' as const, completedAt: 1_000 }
  const old = { key: { organizationId, jobId: 'job_gone' }, job: aJob({ jobId: 'job_gone', ...gone }) }
  await recordJob(store, { ...old, entries: [], unfinished: false, onlyProgress: false })
  await deleteOldJobs(store, 2_000, 10)
  return organizationId
}

/** The rows of an organization, and its statistics. */
async function allOf(database: D1Database, organizationId: string): Promise<Record<string, unknown[]>> {
  const stats = await database
    .prepare('select hour, job_type, status, jobs, deleted from job_stats where organization_id = ?')
    .bind(organizationId)
    .all()
  return { ...(await rowsOf(database, organizationId)), stats: stats.results }
}

const NOTHING: Record<string, unknown[]> = { ...NO_ROWS, stats: [] }

async function addEntry(database: D1Database, organizationId: string, seq: number): Promise<void> {
  await database
    .prepare(
      "insert into job_entries select organization_id, job_id, 'error', ?, '{}' from jobs where organization_id = ?",
    )
    .bind(seq, organizationId)
    .run()
}

/** Evicts the object of a job unless it is gone already. */
async function evict(address: JobAddress): Promise<void> {
  await evictDurableObject(jobObject(env.JOBS, address)).catch(() => {})
}

test('a move that is killed between any two statements goes on from there', async () => {
  let isKilled = true
  for (let most = 0; isKilled; most++) {
    const organizationId = await anOrganization()
    const before = await allOf(env.DB, organizationId)
    let statements = 0
    isKilled = false
    const kill: Around = async (run) => {
      isKilled = ++statements > most
      if (isKilled) throw new Error('killed')
      await run()
    }
    await move(organizationId, 'DB_2', hooked(kill)).catch(() => {})
    await move(organizationId, 'DB_2')
    expect(await allOf(env.DB_2, organizationId)).toEqual(before)
    expect(await allOf(env.DB, organizationId)).toEqual(NOTHING)
    expect(await findPlacement(store, organizationId)).toEqual({ database: 'DB_2', version: 2 })
  }
})

test('two runs of a move do no harm, wherever the second begins', async () => {
  for (let at = 1, isOver = false; !isOver; at++) {
    const organizationId = await anOrganization()
    const before = await allOf(env.DB, organizationId)
    let statements = 0
    let other: Promise<void> | undefined
    const around: Around = async (run) => {
      if (++statements === at) other = move(organizationId, 'DB_2')
      await run()
    }
    await move(organizationId, 'DB_2', hooked(around))
    await other
    isOver = other === undefined
    expect(await allOf(env.DB_2, organizationId)).toEqual(before)
    expect(await allOf(env.DB, organizationId)).toEqual(NOTHING)
    expect(await findPlacement(store, organizationId)).toEqual({ database: 'DB_2', version: 2 })
  }
})

test('a run that slept while the organization moved, moved back and moved again does no harm', async () => {
  for (let at = 1, isOver = false; !isOver; at++) {
    // In turn: each statement is followed by one of the two, and its neighbors by the other.
    const others = at % 2 === 0 ? ['DB_2', 'DB'] : ['DB_2', 'DB', 'DB_2']
    const organizationId = await anOrganization()
    const before = await allOf(env.DB, organizationId)
    let statements = 0
    const sleep: Around = async (run) => {
      if (++statements === at) for (const to of others) await move(organizationId, to)
      await run()
    }
    await move(organizationId, 'DB_2', hooked(sleep)).catch((error) =>
      expect(error).toBeInstanceOf(MoveError),
    )
    isOver = statements < at
    const { database = '' } = (await findPlacement(store, organizationId)) ?? {}
    const [here, there] = database === 'DB' ? [env.DB, env.DB_2] : [env.DB_2, env.DB]
    expect(await allOf(here, organizationId), `${at}: ${others}`).toEqual(before)
    expect(await allOf(there, organizationId), `${at}: ${others}`).toEqual(NOTHING)
    // It takes records.
    await addEntry(here, organizationId, 3)
    expect((await allOf(here, organizationId)).job_entries, `${at}: ${others}`).toHaveLength(3)
  }
})

test('two bindings of one database are no move: nothing is deleted', async () => {
  const organizationId = await anOrganization()
  const before = await allOf(env.DB, organizationId)
  const moving = move(organizationId, 'DB_2', { DB: store, DB_2: openStore(env.DB) })
  await expect(moving).rejects.toThrow('DB and DB_2 are the same database')
  expect(await allOf(env.DB, organizationId)).toEqual(before)
  await addEntry(env.DB, organizationId, 3)
  expect((await allOf(env.DB, organizationId)).job_entries).toHaveLength(3)
  // Once that is mended, the move goes on.
  await move(organizationId, 'DB_2')
  expect((await allOf(env.DB_2, organizationId)).jobs).toEqual(before.jobs)
})

test('a move waits while a database is not bound, or has no tables', async () => {
  const organizationId = await anOrganization()
  const before = await allOf(env.DB, organizationId)
  const probes = () =>
    env.DB.prepare("select count(*) as n from departures where organization_id like 'probe %'").first('n')
  const left = await probes()
  await expect(move(organizationId, 'DB_2', { DB: store })).rejects.toThrow(
    'There is no database DB_2: there are DB',
  )
  const withoutTables: Around = async () => {
    throw new Error('no such table: departures')
  }
  const unready = { DB: store, DB_2: hookedStore(env.DB_2, withoutTables) }
  await expect(move(organizationId, 'DB_2', unready)).rejects.toThrow()
  expect(await allOf(env.DB, organizationId)).toEqual(before)
  expect(await findPlacement(store, organizationId)).toEqual({ database: 'DB', version: 1 })
  expect(await probes()).toBe(left)

  await move(organizationId, 'DB_2')
  await expect(move(organizationId, 'DB', { DB: store })).rejects.toThrow('There is no database DB_2')
  await move(organizationId, 'DB')
  expect(await allOf(env.DB, organizationId)).toEqual(before)
})

test('a job of which the old database has lost entries does not stop a move', async () => {
  const organizationId = await anOrganization()
  await move(organizationId, 'DB_2')
  const whole = await allOf(env.DB_2, organizationId)
  await move(organizationId, 'DB')
  let isLost = false
  const lose: Around = async (run, sql) => {
    // The old database is about to be closed, and the new one has everything.
    if (sql.startsWith('insert into "departures"') && sql.includes('on conflict')) {
      isLost = true
      await env.DB.prepare('delete from job_entries where organization_id = ? and seq = 2')
        .bind(organizationId)
        .run()
    }
    await run()
  }
  await move(organizationId, 'DB_2', hooked(lose))
  expect(isLost).toBe(true)
  expect(await allOf(env.DB_2, organizationId)).toEqual(whole)
})

/** A finished job of an organization in `DB` that has left its object, and is still in memory. */
async function anArchivedJob(): Promise<JobAddress> {
  const address = { ...aJobKey(), placement: { database: 'DB', version: 1 } }
  await jobObject(env.JOBS, address).create(address, aNewJob, null)
  await reported(address, { markCompleted: true, errors: [anError('a')] }, { key: 'k', fingerprint: 'f' })
  await runAlarmAt(address, Date.now() + HOUR)
  return address
}

test('an archived job in memory finds what is its own where it went, for a credential that has not heard', async () => {
  const page = { kind: 'error', after: 0, limit: 10, errorType: null } as const
  const uses = {
    entries: (address: JobAddress) => jobObject(env.JOBS, address).entries(address, page),
    groups: (address: JobAddress) => jobObject(env.JOBS, address).groups(address),
    repeat: (address: JobAddress) =>
      jobObject(env.JOBS, address).report(address, { markCompleted: true }, { key: 'k', fingerprint: 'f' }),
  }
  for (const [name, use] of Object.entries(uses)) {
    const address = await anArchivedJob()
    const before = await use(address)
    await move(address.organizationId, 'DB_2')
    expect(await use(address), name).toEqual(before)
  }
})

test('groups that nobody has counted are not shown as none while the old database is closed', async () => {
  const address = await anArchivedJob()
  const groups = () => jobObject(env.JOBS, address).groups(address)
  const before = await groups()
  await env.DB.prepare('delete from job_entry_groups where organization_id = ?')
    .bind(address.organizationId)
    .run()
  const endWhenClosed = (line: string) => {
    if (line.startsWith('closed')) throw new Error('killed')
  }
  const closing = moveOrganization(stores, address.organizationId, 'DB_2', { ...quiet, say: endWhenClosed })
  await expect(closing).rejects.toThrow('killed')
  expect(await groups()).toEqual({ ok: false, reason: 'unavailable' })
  await move(address.organizationId, 'DB_2')
  expect(await groups()).toEqual(before)
})

test('jobs are created, reported on, finished, archived and watched all through a move', async () => {
  const { organizationId } = aJobKey()
  const here: Placement = { database: 'DB', version: 1 }
  const expected = new Map<string, object>()
  const addresses: JobAddress[] = []
  const create = async () => {
    const address = { ...aJobKey(), organizationId, placement: here }
    const created = await jobObject(env.JOBS, address).create(address, aNewJob, {
      key: 'create',
      fingerprint: 'f',
    })
    expect(created).toMatchObject({ ok: true })
    await reported(address, { markStarted: true, errors: [anError('a')] }, { key: 'k', fingerprint: 'f' })
    expected.set(address.jobId, { status: 'in_progress', error_count: 1 })
    addresses.push(address)
    return address
  }
  const finish = async (address: JobAddress) => {
    await reported(address, { markCompleted: true, errors: [anError('b')] })
    expected.set(address.jobId, { status: 'partial_success', error_count: 2 })
  }
  const archive = (address: JobAddress) => runAlarmAt(address, Date.now() + HOUR)

  const running = await create()
  const watch = await jobObject(env.JOBS, running).watch(running, null)
  if (!watch.ok) throw new Error(watch.reason)
  const watched = new Response(watch.events).text()
  const finished: JobAddress[] = []
  for (let n = 0; n < 15; n++) {
    const address = await create()
    await finish(address)
    finished.push(address)
  }
  let statements = 0
  const around: Around = async (run) => {
    statements += 1
    if (statements % 2 === 0) return await run()
    const old = finished.pop()
    if (old !== undefined) await archive(old)
    const address = await create()
    if (statements % 8 === 5) await evict(address)
    await run()
    if (statements % 3 !== 0) await finish(address)
    if (statements % 8 === 1) await archive(address)
  }
  await move(organizationId, 'DB_2', hooked(around))
  await finish(running)
  expect(await watched).toContain('"status":"partial_success"')

  const placement = await findPlacement(store, organizationId)
  if (placement === undefined) throw new Error('it has no place')
  await Promise.all(addresses.map(evict))
  for (const address of addresses) {
    const read = await jobObject(env.JOBS, address).read({ ...address, placement })
    expect(read.ok && JSON.parse(read.body)).toMatchObject(expected.get(address.jobId) ?? {})
    const groups = await jobObject(env.JOBS, address).groups({ ...address, placement })
    expect(groups).toMatchObject({ ok: true, error: { groups: [{ errorType: 'bad_row' }] } })
    const again = await jobObject(env.JOBS, address).report(
      { ...address, placement },
      { markStarted: true, errors: [anError('a')] },
      { key: 'k', fingerprint: 'f' },
    )
    expect(again).toMatchObject({ ok: true, replayed: true })
  }
  await vi.waitFor(async () => {
    const { jobs = [], job_entries } = await allOf(env.DB_2, organizationId)
    expect(jobs).toHaveLength(addresses.length)
    const counted = (jobs as { job_id: string; status: string; error_count: number }[]).map(
      ({ job_id, status, error_count }) => [job_id, { status, error_count }] as const,
    )
    expect(new Map(counted)).toEqual(expected)
    const errors = [...expected.values()] as { error_count: number }[]
    expect(job_entries).toHaveLength(errors.reduce((sum, { error_count }) => sum + error_count, 0))
  }, 20_000)
  expect(await allOf(env.DB, organizationId)).toEqual(NOTHING)
})
