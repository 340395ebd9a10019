import { get, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { checkReply } from './check-reply.ts'
import { aCaller, aRunningJob, NEW_JOB, UNKNOWN_ID } from './fixtures.ts'
import { call, issueKey, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

interface JobEvent {
  id: number
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect in it
  data: any
}

/** Watches a job, and returns its events one by one like an EventSource, with comments left out. */
async function watch(key: string, path: string, headers: Record<string, string> = {}) {
  const leaving = new AbortController()
  const { signal } = leaving
  const response = await fetch(`${edge.url}${path}/events`, {
    headers: { Authorization: `Bearer ${key}`, ...headers },
    signal,
  })
  const { status } = response
  const contentType = response.headers.get('Content-Type')
  const check = (text: string) => checkReply('GET', `${path}/events`, { status, contentType, text })
  if (status !== 200) check(await response.clone().text())
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  /** The next block of lines; undefined at the end. */
  const nextBlock = async () => {
    while (!text.includes('\n\n')) {
      const { value, done } = (await reader?.read()) ?? { done: true }
      if (done) return undefined
      text += value
    }
    const [block = ''] = text.split('\n\n', 1)
    text = text.slice(block.length + 2)
    check(block)
    return block
  }
  const next = async (): Promise<JobEvent | undefined> => {
    for (;;) {
      const block = await nextBlock()
      if (block === undefined) return undefined
      if (!block.startsWith(':')) return toEvent(block)
    }
  }
  return {
    status,
    headers: response.headers,
    nextBlock,
    next,
    /** All events up to the first one wanted. */
    until: async (isWanted: (event: JobEvent) => boolean) => {
      const events: JobEvent[] = []
      for (let event = await next(); event !== undefined; event = await next()) {
        events.push(event)
        if (isWanted(event)) break
      }
      return events
    },
    leave: () => leaving.abort(),
  }
}

function toEvent(block: string): JobEvent {
  const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2)))
  return { id: Number(fields.id), name: fields.event, data: JSON.parse(fields.data) }
}

describe.concurrent('Over time', () => {
  test('a watcher gets at most ten states a second, and always the last, however often the worker reports', async () => {
    const { key, path, report, get } = await aRunningJob(edge)
    const { until, leave } = await watch(key, path)
    const since = performance.now()
    const events = until(({ data }) => data.processed_items === 1_000)
    const workers = Array.from({ length: 4 }, async () => {
      for (let n = 0; n < 75; n++) await report({ processed_items: n })
    })
    await Promise.all(workers)
    await report({ processed_items: 1_000 })
    const seen = await events
    const seconds = (performance.now() - since) / 1_000
    expect(seen.length).toBeGreaterThan(2)
    // The first state comes at once.
    expect(seen.length).toBeLessThanOrEqual(1 + Math.ceil(seconds * 10))
    expect(seen.at(-1)?.id).toBe(303)
    expect(seen.map(({ id }) => id)).toEqual(seen.map(({ id }) => id).toSorted((a, b) => a - b))
    expect((await get(path)).headers.get('ETag')).toBe('W/"303"')
    leave()
  })

  test('a watcher that reads nothing for two seconds delays no report, and then gets the newest state', async () => {
    const { key, path, report } = await aRunningJob(edge, { metadata: { ballast: 'x'.repeat(10_000) } })
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${edge.url}${path}/events`, { headers: { Authorization: `Bearer ${key}` } }, resolve).once(
        'error',
        reject,
      )
    })
    response.pause()
    const since = performance.now()
    const latencies: number[] = []
    const workers = Array.from({ length: 5 }, async () => {
      while (performance.now() - since < 2_000) {
        const sent = performance.now()
        await report({ processed_items: latencies.length })
        latencies.push(performance.now() - sent)
      }
    })
    await Promise.all(workers)
    expect(Math.max(...latencies)).toBeLessThan(4_000)
    const { headers } = await report({ processed_items: 1_000 })
    const newest = latencies.length + 3
    expect(headers.get('ETag')).toBe(`W/"${newest}"`)

    let text = ''
    response.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    response.resume()
    await vi.waitFor(() => expect(text).toContain(`\nid: ${newest}\n`), { timeout: 5_000 })
    const seconds = (performance.now() - since) / 1_000
    expect(text.split('\n\n').length - 1).toBeLessThanOrEqual(1 + Math.ceil(seconds * 10))
    checkReply('GET', `${path}/events`, { status: 200, contentType: 'text/event-stream', text })
    response.destroy()
  })

  test('a watcher of a silent job hears a comment within 15 seconds', { timeout: 20_000 }, async () => {
    const { key, path } = await aRunningJob(edge)
    const { next, nextBlock, leave } = await watch(key, path)
    await next()
    const since = performance.now()
    expect(await nextBlock()).toMatch(/^:/)
    expect(performance.now() - since).toBeLessThan(15_500)
    leave()
  })

  test('a stream ends when its key expires', { timeout: 25_000 }, async () => {
    const { org, path } = await aRunningJob(edge)
    const { key } = await issueKey(edge, { org, expiresAt: Date.now() + 2_000 })
    const { next } = await watch(key, path)
    expect(await next()).toMatchObject({ name: 'job' })
    expect(await next()).toBeUndefined()
    expect((await call(edge, key, 'GET', path)).status).toBe(401)
  })

  test('a silent job is flagged as stalled, for its watchers and in the list, until its next report', {
    timeout: 25_000,
  }, async () => {
    const { key, path, report } = await aRunningJob(edge, { stall_after_seconds: 10 })
    const { until, leave } = await watch(key, path)
    const events = await until(({ data }) => data.stalled_at !== null)
    const { data } = events.at(-1) as JobEvent
    expect(data.status).toBe('in_progress')
    expect(Date.parse(data.stalled_at) - Date.parse(data.started_at)).toBeGreaterThanOrEqual(10_000)
    const listed = async () => (await call(edge, key, 'GET', '/api/jobs/?stalled=true')).body.jobs
    await vi.waitFor(async () => expect(await listed()).toMatchObject([{ stalled_at: data.stalled_at }]))

    const { body } = await report({ message: 'still here' })
    expect(body.stalled_at).toBeNull()
    expect((await until((event) => event.data.stalled_at === null)).at(-1)).toBeDefined()
    await vi.waitFor(async () => expect(await listed()).toEqual([]), { timeout: 5_000 })
    leave()
  })
})

test('HEAD returns the headers that a watcher gets, and watches nothing', async () => {
  const { key, path } = await aRunningJob(edge)
  const reply = await call(edge, key, 'HEAD', `${path}/events`)
  expect(reply).toMatchObject({ status: 200, text: '' })
  expect(reply.headers.get('Content-Type')).toBe('text/event-stream')
})

test('a reply is not stored in shared caches', async () => {
  const { key, path } = await aRunningJob(edge)
  expect((await call(edge, key, 'GET', path)).headers.get('Cache-Control')).toBe('private, no-cache')
})

describe('A watcher', () => {
  test('gets the current state at once, then each new one, with the revision as its id', async () => {
    const { key, path, report } = await aRunningJob(edge)
    const { status, headers, next, leave } = await watch(key, path)
    expect(status).toBe(200)
    expect(headers.get('Content-Type')).toBe('text/event-stream')
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(await next()).toMatchObject({ id: 2, name: 'job', data: { status: 'in_progress' } })
    for (const processed_items of [10, 20]) {
      const { body, headers } = await report({
        processed_items,
        error: { entity_key: 'a', error_type: 'b', message: 'c' },
      })
      const event = await next()
      expect(headers.get('ETag')).toBe(`W/"${event?.id}"`)
      const { errors: _, warnings: __, duration_seconds: ___, ...job } = body
      expect(event?.data).toMatchObject(job)
      expect(event?.data).not.toHaveProperty('errors')
    }
    leave()
  })

  test.each([1, 2, 3, 99])(
    'that reconnects after revision %i gets the current state at once',
    async (seen) => {
      const { key, path, report } = await aRunningJob(edge)
      await report({ processed_items: 3 })
      const { next, leave } = await watch(key, path, { 'Last-Event-ID': String(seen) })
      expect(await next()).toMatchObject({ id: 3, name: 'job', data: { processed_items: 3 } })
      leave()
    },
  )

  test.each([{ mark_completed: true }, { mark_failed: 'gone' }])(
    'gets the end of the job, %o, and then the end of the stream',
    async (mark) => {
      const { key, path, report } = await aRunningJob(edge)
      const { next } = await watch(key, path)
      await next()
      const { body } = await report({ processed_items: 5, ...mark })
      expect(await next()).toMatchObject({
        id: 3,
        name: 'finished',
        data: { status: body.status, processed_items: 5 },
      })
      expect(await next()).toBeUndefined()
    },
  )

  test('gets a cancellation', async () => {
    const { key, path } = await aRunningJob(edge)
    const { next } = await watch(key, path)
    await next()
    await call(edge, key, 'POST', `${path}/cancel`, { reason: 'wrong file' })
    expect(await next()).toMatchObject({
      name: 'finished',
      data: { status: 'cancelled', error_message: 'wrong file' },
    })
    expect(await next()).toBeUndefined()
  })

  test('of a finished job gets its final state; one that has seen that gets 204 and does not reconnect', async () => {
    const { key, path, report } = await aRunningJob(edge)
    await report({ mark_completed: true })
    for (const headers of [{}, { 'Last-Event-ID': '2' }, { 'Last-Event-ID': 'nonsense' }]) {
      const { next } = await watch(key, path, headers as Record<string, string>)
      expect(await next()).toMatchObject({ id: 3, name: 'finished' })
      expect(await next()).toBeUndefined()
    }
    const { status, next } = await watch(key, path, { 'Last-Event-ID': '3' })
    expect(status).toBe(204)
    expect(await next()).toBeUndefined()
  })
})

describe('A poller', () => {
  test.each(['', '/status'])('of …%s gets 304 without a body until the job changes', async (suffix) => {
    const { key, path, report } = await aRunningJob(edge)
    const poll = (tag: string) =>
      call(edge, key, 'GET', `${path}${suffix}`, undefined, { 'If-None-Match': tag })
    const first = await call(edge, key, 'GET', `${path}${suffix}`)
    const tag = first.headers.get('ETag') ?? ''
    expect({ status: first.status, tag }).toEqual({ status: 200, tag: 'W/"2"' })
    for (const same of [tag, '"2"', `"1", ${tag}`, '*']) {
      const reply = await poll(same)
      expect({ same, status: reply.status, text: reply.text }).toEqual({ same, status: 304, text: '' })
      expect(reply.headers.get('ETag')).toBe(tag)
    }
    await report({ processed_items: 4 })
    const changed = await poll(tag)
    expect(changed).toMatchObject({ status: 200, body: { processed_items: 4 } })
    expect(changed.headers.get('ETag')).toBe('W/"3"')
    for (const other of [tag, '"33"', 'nonsense', '']) expect((await poll(other)).status).toBe(200)
  })

  test('gets 404 and 401 whatever its If-None-Match says', async () => {
    const { key, path } = await aRunningJob(edge)
    const headers = { 'If-None-Match': '*' }
    const unknown = `/api/jobs/${UNKNOWN_ID}`
    expect((await call(edge, key, 'GET', unknown, undefined, headers)).status).toBe(404)
    expect((await call(edge, null, 'GET', path, undefined, headers)).status).toBe(401)
  })
})

describe('stall_after_seconds', () => {
  const create = async (stall_after_seconds: unknown) => {
    const { post } = await aCaller(edge)
    return await post('/api/jobs/', { ...NEW_JOB, stall_after_seconds })
  }

  test.each([10, 86_400, null])('may be %s', async (seconds) => {
    expect(await create(seconds)).toMatchObject({
      status: 200,
      body: { stall_after_seconds: seconds, stalled_at: null },
    })
  })

  test.each([
    [9, 'greater_than_equal', { ge: 10 }],
    [-1, 'greater_than_equal', { ge: 10 }],
    [86_401, 'less_than_equal', { le: 86_400 }],
    [10.5, 'int_from_float', undefined],
    ['soon', 'int_parsing', undefined],
    [[], 'int_type', undefined],
  ])('may not be %j', async (input, type, ctx) => {
    const { status, body } = await create(input)
    expect(status).toBe(422)
    const problem = { type, loc: ['body', 'stall_after_seconds'], input, msg: expect.any(String) }
    expect(body.detail).toEqual([ctx === undefined ? problem : { ...problem, ctx }])
  })
})
