import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { EntriesReply } from '../../src/job-object/replies.ts'
import type { EntryPage } from '../../src/jobs/entry-page.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { aJobKey, anError, archive, createdJob, keysOf, reported } from './fixtures.ts'

afterEach(() => {
  vi.useRealTimers()
})

function ofType(errorType: string, count: number, prefix = errorType) {
  return Array.from({ length: count }, (_, n) => ({ ...anError(`${prefix}-${n}`), errorType }))
}

async function groupsOf(key: JobAddress) {
  const reply = await jobObject(env.JOBS, key).groups(key)
  if (!reply.ok) throw new Error(reply.reason)
  return { error: reply.error.groups, warning: reply.warning.groups, others: reply.error.others }
}

/** The counts of the groups. */
async function countsOf(key: JobAddress) {
  const { error, warning, others } = await groupsOf(key)
  const counts = (groups: typeof error) => groups.map(({ errorType, count }) => ({ errorType, count }))
  return { error: counts(error), warning: counts(warning), others }
}

async function pageOf(key: JobAddress, page: Partial<EntryPage>): Promise<EntriesReply> {
  const whole: EntryPage = { kind: 'error', after: 0, limit: 100, errorType: null, ...page }
  const reply = await jobObject(env.JOBS, key).entries(key, whole)
  if (!reply.ok) throw new Error(reply.reason)
  return reply
}

/** Finishes the job and moves it out of its object. */
async function archived(key: JobAddress): Promise<void> {
  await reported(key, { markCompleted: true })
  await archive(key)
  await evictDurableObject(jobObject(env.JOBS, key))
}

test('entries are counted by error type, the most frequent first, and counts grow with each report', async () => {
  const key = await createdJob()
  expect(await countsOf(key)).toEqual({ error: [], warning: [], others: 0 })
  await reported(key, { errors: [...ofType('b', 2), ...ofType('a', 1)], warnings: ofType('c', 1) })
  expect(await countsOf(key)).toEqual({
    error: [
      { errorType: 'b', count: 2 },
      { errorType: 'a', count: 1 },
    ],
    warning: [{ errorType: 'c', count: 1 }],
    others: 0,
  })
  await reported(key, { errors: ofType('a', 2, 'later') })
  await reported(key, { errors: ofType('d', 2) })
  const error = [
    { errorType: 'a', count: 3 },
    { errorType: 'b', count: 2 },
    { errorType: 'd', count: 2 },
  ]
  expect((await countsOf(key)).error).toEqual(error)
  expect((await countsOf(key)).error).toEqual(error)
})

test('another instance and D1 give the same counts', async () => {
  const key = await createdJob()
  // Asked in between, because the order in which types are remembered must not matter.
  for (const type of ['z', 'm', 'a', 'm']) {
    await reported(key, { errors: ofType(type, 2, crypto.randomUUID()), warnings: ofType(type, 1) })
    await groupsOf(key)
  }
  const before = await groupsOf(key)
  expect(before.error).toMatchObject([
    { errorType: 'm', count: 4 },
    { errorType: 'a', count: 2 },
    { errorType: 'z', count: 2 },
  ])
  await evictDurableObject(jobObject(env.JOBS, key))
  expect(await groupsOf(key)).toEqual(before)
  await archived(key)
  expect(await groupsOf(key)).toEqual(before)
})

test('a group says when it was seen first and last, and has a sample, live and archived', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const key = await createdJob()
  const times: string[] = []
  const report = async (errors: ReturnType<typeof ofType>) => {
    vi.setSystemTime(Date.now() + 1_000)
    times.push(new Date().toISOString())
    await reported(key, { errors })
  }
  await report([...ofType('a', 2), ...ofType('b', 1)])
  await groupsOf(key)
  await report(ofType('c', 1))
  await report(ofType('a', 1, 'last').map((entry) => ({ ...entry, message: '👍'.repeat(300) })))
  const [first, second, third] = times
  const product = { entityType: 'product', message: 'no' }
  const expected = [
    {
      ...product,
      errorType: 'a',
      count: 3,
      firstSeen: first,
      lastSeen: third,
      entityKey: 'last-0',
      message: '👍'.repeat(200),
    },
    { ...product, errorType: 'b', count: 1, firstSeen: first, lastSeen: first, entityKey: 'b-0' },
    { ...product, errorType: 'c', count: 1, firstSeen: second, lastSeen: second, entityKey: 'c-0' },
  ]
  expect((await groupsOf(key)).error).toEqual(expected)
  await archived(key)
  expect((await groupsOf(key)).error).toEqual(expected)
})

test('of many types, the 100 most frequent are listed', async () => {
  const key = await createdJob()
  const errors = Array.from({ length: 150 }, (_, n) => ofType(`type-${n}`, n === 120 ? 3 : 1)).flat()
  await reported(key, { errors })
  const { error, others } = await groupsOf(key)
  expect(error).toHaveLength(100)
  expect(error[0]).toMatchObject({ errorType: 'type-120', count: 3 })
  expect(others).toBe(50)
})

test('the entries of one type come in pages, whatever lies between them, live and archived', async () => {
  const key = await createdJob()
  for (let round = 0; round < 5; round++) {
    await reported(key, {
      errors: [...ofType('other', 40, `o${round}`), ...ofType('wanted', 3, `w${round}`)],
    })
  }
  const wanted = Array.from({ length: 15 }, (_, n) => `w${Math.floor(n / 3)}-${n % 3}`)
  for (const isArchived of [false, true]) {
    if (isArchived) await archived(key)
    const found: string[] = []
    for (let after: number | null = 0; after !== null; ) {
      const { texts, next }: EntriesReply = await pageOf(key, { errorType: 'wanted', limit: 4, after })
      expect(texts.length).toBeLessThanOrEqual(4)
      found.push(...keysOf(texts))
      after = next
    }
    expect(found).toEqual(wanted)
    expect(await pageOf(key, { errorType: 'none of it' })).toEqual({ ok: true, texts: [], next: null })
  }
})

test('a rare type is searched for in steps of 500 entries, live and archived: a page may be empty without being the last', async () => {
  const key = await createdJob()
  for (let n = 0; n < 9; n++) {
    const rare = n === 8 ? ofType('rare', 1) : []
    await reported(key, { errors: [...ofType('common', 500 - rare.length, `c${n}`), ...rare] })
  }
  for (const isArchived of [false, true]) {
    if (isArchived) await archived(key)
    expect(await pageOf(key, { errorType: 'rare' })).toEqual({ ok: true, texts: [], next: 500 })
    expect(await pageOf(key, { errorType: 'rare', after: 500 })).toMatchObject({ texts: [], next: 1_000 })
    const { texts, next } = await pageOf(key, { errorType: 'rare', after: 4_400 })
    expect({ keys: keysOf(texts), next }).toEqual({ keys: ['rare-0'], next: null })
  }
})

test('a page looks at no more heavy entries than make a megabyte', async () => {
  const key = await createdJob()
  const heavy = (type: string, prefix: string) =>
    ofType(type, 50, prefix).map((entry) => ({ ...entry, message: 'é'.repeat(8_000) }))
  for (let n = 0; n < 3; n++) await reported(key, { errors: heavy(n === 2 ? 'rare' : 'common', `c${n}`) })
  for (const isArchived of [false, true]) {
    if (isArchived) await archived(key)
    const { texts, next } = await pageOf(key, { errorType: 'rare' })
    expect(texts).toEqual([])
    expect(next).toBeGreaterThan(60)
    expect(next).toBeLessThan(70)
    const rest = await pageOf(key, { errorType: 'rare', after: next ?? 0 })
    expect(rest.texts.length).toBeGreaterThan(20)
    expect(rest.next).toBeGreaterThan(100)
  }
})

test('a job that does not exist has no groups', async () => {
  const key = aJobKey()
  expect(await jobObject(env.JOBS, key).groups(key)).toEqual({ ok: false, reason: 'not_found' })
})
