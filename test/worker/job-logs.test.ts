import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import { MAX_LOG_BYTES, MAX_LOG_LINES } from '../../src/jobs/limits.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { deleteOldJobs } from '../../src/store/delete-old-jobs.ts'
import { findLog } from '../../src/store/job-logs.ts'
import {
  archive,
  createdJob,
  HOUR,
  inside,
  loseStorage,
  readJob,
  reported,
  startedJob,
  store,
} from './fixtures.ts'

async function messagesOf(key: JobAddress) {
  const reply = await jobObject(env.JOBS, key).messages(key)
  if (!reply.ok) throw new Error(reply.reason)
  return reply.messages
}

async function historyOf(key: JobAddress) {
  const reply = await jobObject(env.JOBS, key).history(key)
  if (!reply.ok) throw new Error(reply.reason)
  return reply.history
}

describe('The messages and the history of a job', () => {
  test('stay the same when the object is evicted, when the job is archived, and when that is loaded from D1', async () => {
    const key = await startedJob()
    await reported(key, { message: 'one', processedItems: 3 })
    await reported(key, { processedItems: 4 })
    await reported(key, { message: 'two', stage: 'uploading', markCompleted: true })
    const before = { messages: await messagesOf(key), history: await historyOf(key) }
    expect(before.messages).toMatchObject([
      { seq: 1, message: 'one' },
      { seq: 2, message: 'two' },
    ])
    expect(before.history.points[0]).toMatchObject({ processed_items: 0 })
    const { job } = await readJob(key)
    expect(before.history.points.at(-1)).toEqual({
      timestamp: new Date(job.completedAt ?? 0).toISOString(),
      processed_items: 4,
      failed_items: 0,
    })
    expect(before.history.stages).toMatchObject([{ stage: 'uploading' }])

    const now = async () => ({ messages: await messagesOf(key), history: await historyOf(key) })
    await evictDurableObject(jobObject(env.JOBS, key))
    expect(await now()).toEqual(before)
    await archive(key)
    expect(await now()).toEqual(before)
    await evictDurableObject(jobObject(env.JOBS, key))
    expect(await now()).toEqual(before)

    await deleteOldJobs(store, Date.now() + HOUR, 10)
    expect(await findLog(store, key)).toBeUndefined()
  })

  test('are those that D1 has after the object lost its storage', async () => {
    const key = await createdJob()
    await reported(key, { message: 'one', markStarted: true })
    await reported(key, { message: 'lost', processedItems: 3 })
    await loseStorage(key)
    const { job } = await readJob(key)
    expect(await messagesOf(key)).toEqual([])
    expect((await historyOf(key)).points).toHaveLength(2)
    await reported(key, { message: 'new', processedItems: 5 })
    expect(await messagesOf(key)).toMatchObject([{ seq: 1, message: 'new' }])
    expect((await historyOf(key)).points.at(-1)?.processed_items).toBe(5)
    expect(job.epoch).toBe(1)
  })
})

describe('The messages of a job', () => {
  test('are the newest 200', async () => {
    const key = await startedJob()
    const object = jobObject(env.JOBS, key)
    const count = MAX_LOG_LINES + 30
    await Promise.all(
      Array.from({ length: count }, (_, n) => object.report(key, { message: `line ${n + 1}` }, null)),
    )
    const messages = await messagesOf(key)
    expect(messages.map(({ seq }) => seq)).toEqual(
      Array.from({ length: MAX_LOG_LINES }, (_, n) => n + 1 + count - MAX_LOG_LINES),
    )
    const rows = await inside(key, ({ sql }) => sql.exec('select count(*) as rows from message').one().rows)
    expect(rows).toBe(MAX_LOG_LINES)
  })

  test('are at most 256 KB, in the object and in D1', async () => {
    const key = await startedJob()
    // A control character is one byte of text and six of JSON.
    const long = '\u0001'.repeat(4_096)
    for (let n = 0; n < 30; n++) await reported(key, { message: long })
    const messages = await messagesOf(key)
    expect(messages.length).toBe(Math.floor(MAX_LOG_BYTES / JSON.stringify(long).length))
    expect(messages.at(-1)?.seq).toBe(30)
    await reported(key, { markCompleted: true })
    await archive(key)
    expect(await messagesOf(key)).toEqual(messages)
  })
})

test('a watcher that asks for messages gets each before the state that it led to, and goes on where it was', async () => {
  const key = await startedJob()
  const object = jobObject(env.JOBS, key)
  const { job: first } = await reported(key, { message: 'one' })
  await reported(key, { message: 'two' })
  await reported(key, { markCompleted: true, message: 'done' })
  const read = async (seen: number | null, withMessages: boolean) => {
    const reply = await object.watch(key, seen, withMessages)
    if (!reply.ok) throw new Error(reply.reason)
    const text = await new Response(reply.events).text()
    return text
      .split('\n\n')
      .filter((event) => event !== '')
      .map((event) => /"message":"(\w+)"/.exec(event)?.[1] ?? /^event: (\w+)$/m.exec(event)?.[1])
  }
  for (const isArchived of [false, true]) {
    if (isArchived) await archive(key)
    expect(await read(null, true)).toEqual(['one', 'two', 'done', 'finished'])
    expect(await read(first.revision, true)).toEqual(['two', 'done', 'finished'])
    expect(await read(null, false)).toEqual(['finished'])
  }
})

test('a watcher gets messages as they come', async () => {
  const key = await startedJob()
  const object = jobObject(env.JOBS, key)
  const reply = await object.watch(key, null, true)
  if (!reply.ok) throw new Error(reply.reason)
  const text = new Response(reply.events).text()
  await reported(key, { message: 'first' })
  await reported(key, { processedItems: 1 })
  await reported(key, { message: 'second', markCompleted: true })
  expect([...(await text).matchAll(/^data: \{"seq":(\d+)/gm)].map(([, seq]) => seq)).toEqual(['1', '2'])
})
