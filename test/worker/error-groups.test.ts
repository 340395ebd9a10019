import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { entryText } from '../../src/jobs/entry-text.ts'
import type { EntryKind, Job } from '../../src/jobs/job.ts'
import { deleteErrorTypes } from '../../src/store/delete-error-types.ts'
import { findErrorGroups } from '../../src/store/find-error-groups.ts'
import { openStore } from '../../src/store/store.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, anError, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'

const HOUR = 3_600_000
const START = 500_000
const PERIOD = { from: START, to: START + 2 }

/** A job of this organization that has these types of errors and warnings, in order. */
function aJobWith(organizationId: string, types: Record<EntryKind, string[]>, given: Partial<Job> = {}) {
  const { jobId } = aJobKey()
  const entries = (['error', 'warning'] as const).flatMap((kind) =>
    types[kind].map((errorType, at) => ({
      kind,
      seq: at + 1,
      text: entryText({ ...anError('sku'), errorType }, START * HOUR),
    })),
  )
  const [errors, warnings] = [types.error.length, types.warning.length]
  const counts = { keptErrors: errors, errorCount: errors, keptWarnings: warnings, warningCount: warnings }
  const job = aJob({ jobId, revision: 1, status: 'in_progress', ...counts, ...given })
  return { key: { organizationId, jobId }, job, entries, unfinished: false, onlyProgress: false }
}

function finished({ job, ...record }: ReturnType<typeof aJobWith>, hour: number) {
  const ended = { revision: 2, status: 'partial_success' as const, completedAt: hour * HOUR + 5 }
  return { ...record, job: { ...job, ...ended } }
}

const group = (errorType: string, entries: number, jobs: number, previousEntries = 0, previousJobs = 0) => ({
  errorType,
  entries,
  jobs,
  previousEntries,
  previousJobs,
})

test('errors are counted by type as their jobs finish, once, however often a record is repeated', async () => {
  const { organizationId } = aJobKey()
  const types = { error: ['no_price', 'bad_row', 'no_price'], warning: ['no_image'] }
  const live = aJobWith(organizationId, types)
  await recordJob(store, live)
  expect((await findErrorGroups(store, organizationId, PERIOD)).error).toEqual({ groups: [], others: 0 })
  const done = finished(live, START)
  for (let repeat = 0; repeat < 3; repeat++) await recordJob(store, done)
  // Late, and after it: neither counts again.
  await recordJob(store, live)
  await recordJob(store, { ...done, job: { ...done.job, revision: 3 } })
  // D1 learns of this one only when it has finished.
  await recordJob(store, finished(aJobWith(organizationId, { error: ['no_price'], warning: [] }), START + 1))
  await recordJob(
    store,
    finished(aJobWith(organizationId, { error: ['no_price', 'gone'], warning: [] }), START - 2),
  )
  await recordJob(store, finished(aJobWith(organizationId, types), START - 3))
  await recordJob(store, finished(aJobWith(organizationId, types), START + 2))
  await recordJob(store, finished(aJobWith(aJobKey().organizationId, types), START))
  expect(await findErrorGroups(store, organizationId, PERIOD)).toEqual({
    error: {
      groups: [group('no_price', 3, 2, 1, 1), group('bad_row', 1, 1), group('gone', 0, 0, 1, 1)],
      others: 0,
    },
    warning: { groups: [group('no_image', 1, 1)], others: 0 },
    isPartial: false,
  })
})

test('of a large job, the first 500 entries of a kind are counted by type, and all others together', async () => {
  const { organizationId } = aJobKey()
  const error = Array.from({ length: 600 }, (_, n) => (n < 450 ? 'a' : 'b'))
  const job = finished(aJobWith(organizationId, { error, warning: [] }, { errorCount: 1_000 }), START)
  await recordJob(store, job)
  const { error: found } = await findErrorGroups(store, organizationId, PERIOD)
  expect(found).toEqual({ groups: [group('a', 450, 1), group('b', 50, 1)], others: 500 })
})

test('of many types, the 100 most frequent are named, and names are cut', async () => {
  const { organizationId } = aJobKey()
  const error = ['long'.repeat(100), ...Array.from({ length: 120 }, (_, n) => `type-${n % 110}`)]
  await recordJob(store, finished(aJobWith(organizationId, { error, warning: [] }), START))
  const { error: found } = await findErrorGroups(store, organizationId, PERIOD)
  expect(found.groups).toHaveLength(100)
  expect(found.groups[10]).toEqual(group('long'.repeat(50), 1, 1))
  expect(found.others).toBe(121 - 110)
})

test('the counts go with the jobs that they are of', async () => {
  const { organizationId } = aJobKey()
  for (const hour of [10, 12]) {
    await recordJob(store, finished(aJobWith(organizationId, { error: ['a'], warning: [] }), hour))
  }
  await deleteErrorTypes(store, 12 * HOUR + 1)
  const { error } = await findErrorGroups(store, organizationId, { from: 10, to: 13 })
  expect(error.groups).toEqual([group('a', 1, 1)])
})

test('each hour is looked up by the primary key, so nothing is read of other jobs, hours or organizations', async () => {
  const { organizationId } = aJobKey()
  const statements: { sql: string; params: unknown[] }[] = []
  const prepare = (sql: string) => ({
    bind: (...params: unknown[]) => {
      statements.push({ sql, params })
      return env.DB.prepare(sql).bind(...params)
    },
  })
  await findErrorGroups(openStore({ prepare } as unknown as D1Database), organizationId, PERIOD)
  const [{ sql, params } = { sql: '', params: [] }] = statements
  const { results } = await env.DB.prepare(`explain query plan ${sql}`)
    .bind(...params)
    .run<{ detail: string }>()
  const searches = results.map(({ detail }) => detail).filter((detail) => detail.includes('error_type_hours'))
  expect(searches).toEqual(['SEARCH error_type_hours USING PRIMARY KEY (hour=? AND organization_id=?)'])

  const rowsRead = async () =>
    (
      await env.DB.prepare(sql)
        .bind(...params)
        .run()
    ).meta.rows_read
  for (let n = 0; n < 3; n++)
    await recordJob(store, finished(aJobWith(organizationId, { error: ['a'], warning: [] }), START))
  const before = await rowsRead()
  for (let n = 0; n < 20; n++)
    await recordJob(store, finished(aJobWith(organizationId, { error: ['a'], warning: [] }), START))
  expect(await rowsRead()).toBe(before)
})
