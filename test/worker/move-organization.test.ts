import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Entry, Job, JobKey } from '../../src/jobs/job.ts'
import { saveEntryGroups } from '../../src/store/entry-groups.ts'
import { saveReplies } from '../../src/store/idempotent-replies.ts'
import { MoveError, type Stores } from '../../src/store/move/ends.ts'
import { moveOrganization } from '../../src/store/move/move-organization.ts'
import { findPlacement } from '../../src/store/organizations.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'
import { NO_ROWS, rowsOf } from './rows-of.ts'

const second = openStore(env.DB_2)
const stores: Stores = { DB: store, DB_2: second }

async function move(
  organizationId: string,
  to: string,
  more: { say?: (line: string) => void; settleMs?: number; restMs?: number } = {},
) {
  const said: string[] = []
  await moveOrganization(stores, organizationId, to, {
    settleMs: 0,
    restMs: 0,
    now: Date.now,
    sleep: async () => {},
    ...more,
    say: (line) => {
      said.push(line)
      more.say?.(line)
    },
  })
  return said
}

/** Where the first database says that an organization has gone. */
async function departureOf(organizationId: string): Promise<object | null> {
  return await env.DB.prepare('select database, version, is_whole from departures where organization_id = ?')
    .bind(organizationId)
    .first()
}

async function recorded(
  organizationId: string,
  changes: Partial<Job> = {},
  entries = 0,
  to: Store = store,
): Promise<JobKey> {
  const key = { ...aJobKey(), organizationId }
  await record(key, changes, entries, to)
  return key
}

async function record(key: JobKey, changes: Partial<Job>, entries: number, to: Store = store) {
  const job = aJob({ jobId: key.jobId, keptErrors: entries, revision: 1, ...changes })
  const texts: Entry[] = Array.from({ length: entries }, (_, n) => ({
    kind: 'error',
    seq: n + 1,
    text: `{"n":${n}}`,
  }))
  return await recordJob(to, { key, job, entries: texts, unfinished: false, onlyProgress: false })
}

test('everything of an organization goes to the other database, as it was, and nothing of another', async () => {
  const [{ organizationId }, other] = [aJobKey(), aJobKey()]
  await recorded(other.organizationId, {}, 2)
  const key = await recorded(
    organizationId,
    { metadata: { "it's": '?\u0000ü$1 ' }, triggeredBy: 'a\u0000b', totalItems: 2 ** 60 },
    1_200,
  )
  await recorded(organizationId, { metadata: { long: 'x'.repeat(60_000) } })
  // Its errors are counted across jobs, in each database by itself.
  await recorded(organizationId, { status: 'failed', completedAt: 7_200_000, errorCount: 4 }, 3)
  await saveEntryGroups(store, key, [
    { kind: 'error', rank: 1, errorType: 'bad', count: 1_200, firstSeq: 1, lastSeq: 1_200 },
  ])
  await saveReplies(store, key, [{ request: { key: 'k', fingerprint: 'f' }, asOf: 5, job: null }])
  const before = await rowsOf(env.DB, organizationId)
  const others = await rowsOf(env.DB, other.organizationId)
  expect(before.job_entries).toHaveLength(1_203)
  expect(before.error_type_hours).toMatchObject([
    { hour: 2, entries: 3 },
    { hour: 2, more: 1, entries: 1 },
  ])

  await move(organizationId, 'DB_2')
  expect(await rowsOf(env.DB_2, organizationId)).toEqual(before)
  expect(await rowsOf(env.DB, organizationId)).toEqual(NO_ROWS)
  expect(await findPlacement(store, organizationId)).toEqual({ database: 'DB_2', version: 2 })
  expect(await rowsOf(env.DB, other.organizationId)).toEqual(others)

  await move(organizationId, 'DB')
  expect(await rowsOf(env.DB, organizationId)).toEqual(before)
  expect(await rowsOf(env.DB_2, organizationId)).toEqual(NO_ROWS)
  expect(await findPlacement(store, organizationId)).toEqual({ database: 'DB', version: 3 })
  expect(await move(organizationId, 'DB')).toEqual([`${organizationId} lives in DB already`])
})

test('an organization that has just moved stays for a while', async () => {
  const { organizationId } = aJobKey()
  await recorded(organizationId)
  await move(organizationId, 'DB_2')
  await expect(move(organizationId, 'DB', { restMs: 60_000 })).rejects.toThrow(
    'moved less than 1 minutes ago',
  )
  await move(organizationId, 'DB', { restMs: 0 })
  expect(await findPlacement(store, organizationId)).toEqual({ database: 'DB', version: 3 })
})

test('many large jobs take several pages', async () => {
  const { organizationId } = aJobKey()
  for (let n = 0; n < 12; n++) await recorded(organizationId, { metadata: { long: 'x'.repeat(60_000) } }, 700)
  const before = await rowsOf(env.DB, organizationId)
  await move(organizationId, 'DB_2')
  expect(await rowsOf(env.DB_2, organizationId)).toEqual(before)
})

test('the old database takes nothing of it from the moment in which it is closed', async () => {
  const { organizationId } = aJobKey()
  const key = await recorded(organizationId, {}, 3)
  const late: unknown[] = []
  await move(organizationId, 'DB_2', {
    say: (line) => {
      if (line.startsWith('closed'))
        late.push(record(key, { revision: 2, processedItems: 99 }, 4).catch(() => {}))
    },
  })
  await Promise.all(late)
  expect(late).toHaveLength(1)
  await record(await aKeyOf(organizationId), {}, 1).catch(() => {})
  expect(await rowsOf(env.DB, organizationId)).toEqual(NO_ROWS)
  expect(await departureOf(organizationId)).toEqual({ database: 'DB_2', version: 2, is_whole: 1 })
  expect((await rowsOf(env.DB_2, organizationId)).jobs).toMatchObject([{ job_id: key.jobId, revision: 1 }])
})

test('a job that its object records in the new database stays as it is there', async () => {
  const { organizationId } = aJobKey()
  const key = await recorded(organizationId, { keptErrors: 3 }, 3)
  await record(key, { revision: 7, processedItems: 70 }, 5, second)
  await move(organizationId, 'DB_2')
  const { jobs, job_entries } = await rowsOf(env.DB_2, organizationId)
  expect(jobs).toMatchObject([{ revision: 7, processed_items: 70 }])
  expect(job_entries).toHaveLength(5)
})

test.each(['copying', 'copied', 'closed', 'compared', 'switched', 'waiting', 'clearing'])(
  'a move that ends at "%s" goes on from there',
  async (phase) => {
    const { organizationId } = aJobKey()
    for (let n = 0; n < 3; n++) await recorded(organizationId, {}, 10)
    const before = await rowsOf(env.DB, organizationId)
    const end = (line: string) => {
      if (line.startsWith(phase)) throw new Error('killed')
    }
    await expect(move(organizationId, 'DB_2', { say: end, settleMs: 1_000 })).rejects.toThrow('killed')
    await expect(move(organizationId, 'DB_3')).rejects.toThrow(MoveError)
    await move(organizationId, 'DB_2')
    expect(await rowsOf(env.DB_2, organizationId)).toEqual(before)
    expect(await rowsOf(env.DB, organizationId)).toEqual(NO_ROWS)
    expect(await findPlacement(store, organizationId)).toEqual({ database: 'DB_2', version: 2 })
  },
)

async function aKeyOf(organizationId: string): Promise<JobKey> {
  return { ...aJobKey(), organizationId }
}
