import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { deleteExpiredJobs } from '../../src/delete-expired-jobs.ts'
import type { Env } from '../../src/env.ts'
import { jobObject } from '../../src/job-object/address.ts'
import { FINISHED_STATUSES, type Job, type JobKey } from '../../src/jobs/job.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { deleteOldJobs } from '../../src/store/delete-old-jobs.ts'
import { findStats, type JobCount, type StatsQuery, statsPage } from '../../src/store/job-stats.ts'
import { moveOrganization } from '../../src/store/move/move-organization.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { aJob } from '../unit/fixtures.ts'
import { failD1 } from './fail-d1.ts'
import {
  aJobKey,
  aKeyedRequest,
  aNewJob,
  anError,
  archive,
  loseStorage,
  readJob,
  recordByAlarm,
  recordedJob,
  store,
} from './fixtures.ts'
import { recordJob } from './record-job.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const HOUR = 60 * 60 * 1_000
const DAY = 24 * HOUR
const NOON = Date.parse('2026-11-27T12:00:00Z')
const ALL: StatsQuery = {
  since: 0,
  until: Number.MAX_SAFE_INTEGER,
  jobType: undefined,
  after: undefined,
  limit: 1_000,
  bytes: 1_000_000,
}

const countsOf = async (organizationId: string, query: Partial<StatsQuery> = {}, from: Store = store) =>
  (await findStats(from, organizationId, { ...ALL, ...query })).counts

/** The same counts, made from the jobs that D1 has. */
async function recount(organizationId: string, database: D1Database = env.DB): Promise<JobCount[]> {
  const { results } = await database
    .prepare(
      `select completed_at / 3600000 * 3600000 as hour, job_type as jobType, status, count(*) as jobs
       from jobs where organization_id = ? and completed_at is not null group by 1, 2, 3 order by 1, 2, 3`,
    )
    .bind(organizationId)
    .all<JobCount & Record<string, unknown>>()
  return results
}

async function record(key: JobKey, given: Partial<Job>, to: Store = store): Promise<boolean> {
  const job = aJob({ ...given, jobId: key.jobId })
  return (await recordJob(to, { key, job, entries: [], unfinished: false, onlyProgress: false })).landed
}

/** Numbers that look random but are the same each time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('The statistics equal a recount of the jobs', () => {
  test('whatever is recorded, in whichever order, again, late, or over another state', async () => {
    const { organizationId } = aJobKey()
    const pick = randomFrom(7)
    const states: [JobKey, Partial<Job>][] = []
    for (let n = 0; n < 80; n++) {
      const status = (['pending', 'in_progress', ...FINISHED_STATUSES] as const)[pick(7)] ?? 'failed'
      const isLive = status === 'pending' || status === 'in_progress'
      const state = {
        jobType: `type ${pick(2)}`,
        status,
        completedAt: isLive ? null : NOON + pick(3) * HOUR + pick(HOUR),
        epoch: pick(3),
        revision: 1 + pick(5),
      }
      states.push([{ organizationId, jobId: `job_${pick(12)}` }, state])
      const [key, again] = states[pick(states.length)] ?? []
      await record({ organizationId, jobId: states.at(-1)?.[0].jobId ?? '' }, state)
      // An earlier state comes once more.
      if (key && pick(2) === 0) await record(key, again ?? {})
    }
    const counts = await countsOf(organizationId)
    expect(counts.length).toBeGreaterThan(4)
    expect(counts).toEqual(await recount(organizationId))
  })

  test('through retries, evictions, lost storage, a D1 that is down, and archiving', async () => {
    const { organizationId, placement } = aJobKey()
    const keys = Array.from({ length: 12 }, (): JobAddress => ({ ...aJobKey(), organizationId, placement }))
    await Promise.all(
      keys.map(async (key, n) => {
        await jobObject(env.JOBS, key).create(key, { ...aNewJob, jobType: `type ${n % 3}` }, null)
        await jobObject(env.JOBS, key).report(key, { markStarted: true }, null)
      }),
    )
    const finish = (key: JobAddress, n: number) => {
      const mark = [
        { markCompleted: true as const },
        { markFailed: 'no' },
        { errors: [anError('a')], markCompleted: true as const },
      ][n % 3]
      return jobObject(env.JOBS, key).report(key, mark ?? {}, aKeyedRequest(`end ${n}`))
    }
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const d1 = failD1()
    await Promise.all(keys.slice(0, 2).map(finish))
    d1.restore()
    for (const key of keys.slice(0, 2)) await evictDurableObject(jobObject(env.JOBS, key))
    for (const key of keys.slice(0, 2)) await recordByAlarm(key)
    await Promise.all(keys.slice(2, 10).map((key, n) => finish(key, n + 2)))
    for (const key of keys.slice(6)) await loseStorage(key)
    // The two that lost what was not yet finished go on from D1; the others are repeats.
    await Promise.all(keys.slice(0, 10).map(finish))
    for (const key of keys.slice(2, 5)) await archive(key)
    await Promise.all(keys.slice(0, 10).map(finish))
    await Promise.all(
      keys.map((key) =>
        vi.waitFor(
          async () => expect((await recordedJob(key))?.job.revision).toBe((await readJob(key)).job.revision),
          { timeout: 10_000 },
        ),
      ),
    )
    const counts = await countsOf(organizationId)
    expect(counts).toEqual(await recount(organizationId))
    expect(counts.reduce((sum, { jobs }) => sum + jobs, 0)).toBe(10)
  }, 30_000)
})

test('a job that retention deletes stays counted, for 90 days', async () => {
  const key = aJobKey()
  const now = Date.now()
  const ended = (days: number) => ({ status: 'failed' as const, completedAt: now - days * DAY })
  await record(key, ended(80))
  await record({ ...key, jobId: 'job_2' }, ended(91))
  expect(await deleteOldJobs(store, now - 70 * DAY, 10)).toBeGreaterThanOrEqual(2)
  expect(await countsOf(key.organizationId)).toHaveLength(2)
  vi.spyOn(console, 'log').mockImplementation(() => {})
  await deleteExpiredJobs({ ...(env as unknown as Env), RETENTION_DAYS: 0 }, now)
  expect(await countsOf(key.organizationId)).toMatchObject([{ jobs: 1, status: 'failed' }])
})

test('a move carries the counts, once, with those of deleted jobs, there and back', async () => {
  const { organizationId } = aJobKey()
  const ended = (status: Job['status'], at: number) => ({ status, completedAt: NOON + at, jobType: "it's" })
  const jobs = [ended('failed', 0), ended('failed', 1), ended('completed', 2), ended('failed', HOUR)]
  for (const [n, job] of jobs.entries()) await record({ organizationId, jobId: `job_${n}` }, job)
  await record({ organizationId, jobId: 'job_live' }, {})
  const second = openStore(env.DB_2)
  const stores = { DB: store, DB_2: second }
  const options = { settleMs: 0, restMs: 0, now: Date.now, sleep: async () => {}, say: () => {} }
  const before = await countsOf(organizationId)
  await deleteOldJobs(store, NOON + 1, 10)

  for (const [to, from] of [
    ['DB_2', 'DB'],
    ['DB', 'DB_2'],
    ['DB_2', 'DB'],
  ] as const) {
    await moveOrganization(stores, organizationId, to, options)
    expect(await countsOf(organizationId, {}, stores[to])).toEqual(before)
    expect(await countsOf(organizationId, {}, stores[from])).toEqual([])
    await deleteOldJobs(stores[to], NOON + 2, 10)
  }
  await record({ organizationId, jobId: 'job_live' }, { ...ended('failed', HOUR), revision: 2 }, second)
  expect((await countsOf(organizationId, {}, second)).at(-1)).toMatchObject({ jobs: 2 })
})

test('jobs of an organization that is moving stay until it has arrived', async () => {
  const key = aJobKey()
  await record(key, { status: 'failed', completedAt: 1_000 })
  await deleteOldJobs(store, 2_000, 10, async () => [key.organizationId])
  expect(await recordedJob(key)).toBeDefined()
})

describe('A list of counts', () => {
  const { organizationId } = aJobKey()
  const fill = async () => {
    for (let n = 0; n < 30; n++) {
      const state = {
        status: 'failed' as const,
        completedAt: NOON + (n % 3) * HOUR,
        jobType: `type ${n % 5}`,
      }
      await record({ organizationId, jobId: `job_${n}` }, state)
    }
    return await countsOf(organizationId)
  }

  test('is the same in pages of any size, and narrowed by time and type', async () => {
    const all = await fill()
    expect(all).toHaveLength(15)
    for (const [limit, bytes] of [
      [1, 1_000],
      [4, 1_000],
      [1_000, 20],
      [1_000, 1],
    ] as const) {
      const pages: JobCount[][] = []
      for (let after: StatsQuery['after'] | null; after !== null; ) {
        const { counts, next } = await findStats(store, organizationId, { ...ALL, after, limit, bytes })
        expect(counts).not.toEqual([])
        pages.push(counts)
        after = next ?? null
      }
      expect(pages.flat()).toEqual(all)
      expect(pages.length).toBeGreaterThan(3)
    }
    expect(await countsOf(organizationId, { since: NOON + HOUR, until: NOON + 2 * HOUR })).toEqual(
      all.filter(({ hour }) => hour === NOON + HOUR),
    )
    expect(await countsOf(organizationId, { jobType: 'type 2' })).toEqual(
      all.filter(({ jobType }) => jobType === 'type 2'),
    )
    expect(await countsOf(aJobKey().organizationId)).toEqual([])
  })

  test.each([
    ['all types', undefined, 'PRIMARY KEY (organization_id=? AND hour>? AND hour<?)'],
    [
      'one type',
      'import',
      'INDEX job_stats_by_type (organization_id=? AND job_type=? AND hour>? AND hour<?)',
    ],
  ])('of %s is read from an index, in its order', async (_, jobType, index) => {
    const { sql, params } = statsPage(store, organizationId, { ...ALL, jobType }).toSQL()
    const { results } = await env.DB.prepare(`explain query plan ${sql}`)
      .bind(...params)
      .all<{ detail: string }>()
    const details = results.map(({ detail }) => detail)
    expect(details.filter((detail) => detail.includes('job_stats'))).toEqual([
      `SEARCH job_stats USING ${index}`,
    ])
    expect(details.filter((detail) => /TEMP B-TREE/.test(detail))).toEqual([])
  })
})
