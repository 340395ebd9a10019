import { expect, onTestFinished, test, vi } from 'vitest'
import type { ApiRequest } from '../../clients/typescript/src/attempt.ts'
import { connect } from '../../clients/typescript/src/connection.ts'
import { JobClosedError, RequestRefusedError, UnreachableError } from '../../clients/typescript/src/errors.ts'
import { Milepost } from '../../clients/typescript/src/milepost.ts'
import type { Clock, Fetch, MilepostOptions } from '../../clients/typescript/src/options.ts'
import { sendWithRetries } from '../../clients/typescript/src/send-with-retries.ts'
import { systemClock } from '../../clients/typescript/src/system-clock.ts'
import { VirtualClock } from './virtual-clock.ts'

const JOB = {
  job_id: 'job_1',
  job_type: 'feed_import',
  status: 'in_progress',
  total_items: 4,
  processed_items: 1,
  failed_items: 1,
  progress_percentage: 50,
  success_rate: 50,
  errors: [
    {
      entity_key: 'a',
      entity_type: 'product',
      error_type: 'bad',
      message: 'no',
      timestamp: '2026-01-01T00:00:00.000Z',
    },
  ],
}

type Reply = () => Response | Promise<Response>
const answer = (status: number, body: unknown, headers = {}): Reply => {
  return () => new Response(JSON.stringify(body), { status, headers })
}
const noConnection: Reply = () =>
  Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }))

/** An API that gives the answers in turn and repeats the last one, and a clock that moves only during waits. */
function script(...answers: [Reply, ...Reply[]]) {
  const requests: { url: string; headers: Headers; body: unknown; init: RequestInit }[] = []
  const waits: number[] = []
  let time = Date.parse('2026-01-01T00:00:00Z')
  const clock: Clock = {
    now: () => time,
    elapsed: () => time,
    wait: async (ms) => {
      waits.push(ms)
      time += ms
    },
    random: () => 0,
  }
  const connection: MilepostOptions & { clock: Clock; fetch: Fetch } = {
    url: 'https://jobs.test/',
    key: 'mp_secret',
    clock,
    fetch: async (url, init) => {
      requests.push({
        url,
        headers: new Headers(init.headers),
        body: init.body && JSON.parse(String(init.body)),
        init,
      })
      const next = answers[requests.length - 1] ?? answers.at(-1)
      if (next === undefined) throw new Error('no answer was scripted')
      return next()
    },
  }
  return { connection, requests, waits, clock }
}

const POST: ApiRequest = { method: 'POST', path: '/x', body: '{"a":1}', idempotencyKey: 'one' }

function send({ signal, ...options }: MilepostOptions & { signal?: AbortSignal }) {
  return sendWithRetries(connect(options), POST, { signal })
}

test('createJob sends the key, and the job in snake_case', async () => {
  const { connection, requests } = script(answer(200, JOB))
  const reporter = await new Milepost(connection).createJob({
    jobType: 'feed_import',
    totalItems: 4,
    metadata: { a: 1 },
  })
  expect(reporter.jobId).toBe('job_1')
  expect(requests).toHaveLength(1)
  expect(requests[0]?.url).toBe('https://jobs.test/api/jobs/')
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer mp_secret')
  expect(requests[0]?.body).toEqual({ job_type: 'feed_import', total_items: 4, metadata: { a: 1 } })
})

test('a job can set the silence after which it is flagged as stalled', async () => {
  const { connection, requests } = script(answer(200, JOB))
  await new Milepost(connection).createJob({ jobType: 'feed_import', totalItems: 4, stallAfterSeconds: 300 })
  expect(requests[0]?.body).toMatchObject({ stall_after_seconds: 300 })
})

test('a report is one request with only the given fields, and returns the job', async () => {
  const { connection, requests } = script(answer(200, JOB))
  const entry = {
    entityKey: 'a',
    entityType: 'product',
    errorType: 'bad',
    message: 'no',
    details: { row: 1 },
  }
  const { clock: _, ...options } = connection
  const reporter = new Milepost(options).job('job/1')
  reporter.report({
    processedItems: 0,
    processedDelta: 0,
    counters: { created: 2 },
    metadataPatch: { import_job_id: 'e' },
    error: entry,
    warnings: [entry],
  })
  await reporter.flush()
  const job = reporter.latest
  const wireEntry = {
    entity_key: 'a',
    entity_type: 'product',
    error_type: 'bad',
    message: 'no',
    details: { row: 1 },
  }
  expect(requests.map(({ url, body }) => ({ url, body }))).toEqual([
    {
      url: 'https://jobs.test/api/jobs/job%2F1/progress',
      body: {
        processed_items: 0,
        counters: { created: 2 },
        metadata_patch: { import_job_id: 'e' },
        errors: [wireEntry],
        warnings: [wireEntry],
      },
    },
  ])
  expect(job).toMatchObject({
    jobId: 'job_1',
    failedItems: 1,
    warnedItems: 0,
    metadata: {},
    completedAt: null,
  })
  expect(job?.errors).toMatchObject([{ entityKey: 'a', errorType: 'bad', step: null }])
})

test('started, complete and fail send the marks of the contract, even an empty failure message', async () => {
  const { connection, requests } = script(answer(200, JOB))
  const { clock: _, ...options } = connection
  const [first, second] = [new Milepost(options).job('job_1'), new Milepost(options).job('job_1')]
  first.started()
  await first.flush()
  await first.complete()
  await second.fail('')
  expect(requests.map(({ body }) => body)).toEqual([
    { mark_started: true },
    { mark_completed: true },
    { mark_failed: '' },
  ])
})

test.for([
  ['no connection', noConnection],
  ['429', answer(429, { detail: 'Slow down' })],
  ['500', answer(500, {})],
  ['503', answer(503, { detail: 'Unavailable' })],
  ['a truncated reply', () => new Response('{"job_id": "jo')],
] as const)('after %s, the request is retried with the same Idempotency-Key', async ([, trouble]) => {
  const { connection, requests } = script(trouble, trouble, answer(200, JOB))
  await send(connection)
  expect(requests).toHaveLength(3)
  expect(new Set(requests.map(({ headers }) => headers.get('idempotency-key'))).size).toBe(1)
  expect(requests[2]?.body).toEqual(requests[0]?.body)
})

test('every job has its own Idempotency-Key', async () => {
  const { connection, requests } = script(answer(200, JOB))
  const milepost = new Milepost(connection)
  await milepost.createJob({ jobType: 't', totalItems: 0 })
  await milepost.createJob({ jobType: 't', totalItems: 0 })
  const [first, second] = requests.map(({ headers }) => headers.get('idempotency-key'))
  expect(first).toMatch(/^[0-9a-f]{32}$/)
  expect(second).not.toBe(first)
})

test('the waits double up to eight seconds, and the whole call ends within a minute', async () => {
  const { connection, waits, clock } = script(noConnection)
  const began = clock.now()
  await expect(send(connection)).rejects.toThrow(/^Gave up after 20 attempts: .*ECONNREFUSED/)
  expect(waits.slice(0, 8)).toEqual([125, 250, 500, 1000, 2000, 4000, 4000, 4000])
  expect(clock.now() - began).toBeLessThanOrEqual(60_000)
})

test('each wait is a random share, between half and all, of the backoff', async () => {
  const { connection, waits, clock } = script(noConnection, answer(200, JOB))
  await send({ ...connection, clock: { ...clock, random: () => 0.999_999 } })
  expect(waits[0]).toBeCloseTo(250, 2)
})

test.for([
  ['seconds', '7'],
  ['a date', 'Thu, 01 Jan 2026 00:00:07 GMT'],
] as const)('a retry waits for Retry-After, given as %s', async ([, retryAfter]) => {
  const { connection, waits } = script(answer(503, {}, { 'retry-after': retryAfter }), answer(200, JOB))
  await send(connection)
  expect(waits).toEqual([7_125])
})

test.each([
  ['back', -3_600_000],
  ['forward', 3_600_000],
])('the time limit holds if the clock is set %s an hour meanwhile', async (_, step) => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  let attempts = 0
  const fetch = async () => {
    if (++attempts === 3) vi.setSystemTime(Date.now() + step)
    return await noConnection()
  }
  const connection = { url: 'https://jobs.test/', key: 'mp_secret', fetch, giveUpAfterMs: 60_000 }
  const begun = performance.now()
  const ended = send(connection).catch((error) => ({
    error,
    at: performance.now(),
  }))
  await vi.advanceTimersByTimeAsync(120_000)
  const { error, at } = (await Promise.race([ended, { error: undefined, at: Infinity }])) as {
    error: unknown
    at: number
  }
  expect(error).toBeInstanceOf(UnreachableError)
  expect(at - begun).toBeGreaterThan(50_000)
  expect(at - begun).toBeLessThanOrEqual(60_000)
})

test('a Retry-After beyond the time limit ends the call immediately', async () => {
  const { connection, waits } = script(answer(429, {}, { 'retry-after': '3600' }))
  await expect(send(connection)).rejects.toBeInstanceOf(UnreachableError)
  expect(waits).toEqual([])
})

test('the caller can set the time limit', async () => {
  const { connection, requests } = script(noConnection)
  await expect(send({ ...connection, giveUpAfterMs: 0 })).rejects.toThrow(UnreachableError)
  expect(requests).toHaveLength(1)
})

test('an attempt without a reply times out and is retried', async () => {
  const hang: Reply = () => new Promise(() => {})
  const { connection, requests } = script(hang, answer(200, JOB))
  const { fetch: scripted } = connection
  // As with the real fetch, the signal ends the wait.
  const withSignal: Fetch = (url, init) =>
    Promise.race([
      scripted?.(url, init) ?? Promise.reject(),
      new Promise<never>((_, reject) =>
        init.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
      ),
    ])
  await send({ ...connection, fetch: withSignal, attemptTimeoutMs: 5 })
  expect(requests).toHaveLength(2)
})

/** A fetch from an API that never replies: only the signal ends the wait. */
const hangUntilAborted: Fetch = (_, { signal }) =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

test('aborting during an attempt throws the reason, and no attempt follows', async () => {
  const stop = new AbortController()
  const reason = new Error('Ctrl-C')
  const { connection, waits } = script(answer(200, JOB))
  let attempts = 0
  const fetch: Fetch = (url, init) => {
    attempts++
    queueMicrotask(() => stop.abort(reason))
    return hangUntilAborted?.(url, init) ?? Promise.reject()
  }
  const report = send({ ...connection, fetch, signal: stop.signal })
  await expect(report).rejects.toBe(reason)
  expect({ attempts, waits }).toEqual({ attempts: 1, waits: [] })
})

test('aborting between two attempts throws the reason, and leaves no timer behind', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const stop = new AbortController()
  const { connection, requests } = script(answer(503, {}, { 'retry-after': '30' }))
  const { clock: _, ...withSystemClock } = connection
  const report = send({ ...withSystemClock, signal: stop.signal })
  await vi.waitUntil(() => vi.getTimerCount() === 1)

  stop.abort(new Error('Ctrl-C'))
  await expect(report).rejects.toBe(stop.signal.reason)
  expect(requests).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing is sent if the signal is already aborted', async () => {
  const { connection, requests } = script(answer(200, JOB))
  const signal = AbortSignal.abort(new Error('Ctrl-C'))
  await expect(send({ ...connection, signal })).rejects.toBe(signal.reason)
  expect(requests).toHaveLength(0)
})

test('a request succeeds if its reply arrives, even if the signal was aborted in the meantime', async () => {
  const stop = new AbortController()
  const { connection } = script(() => {
    stop.abort(new Error('Ctrl-C'))
    return new Response(JSON.stringify(JOB))
  })
  const job = await send({ ...connection, signal: stop.signal })
  expect(job.body).toMatchObject({ job_id: 'job_1' })
})

test('409 throws JobClosedError with the detail of the API, and is not retried', async () => {
  const { connection, requests } = script(answer(409, { detail: 'The job is cancelled' }))
  const failure = await send(connection).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(JobClosedError)
  expect(failure).toMatchObject({ message: 'The job is cancelled', status: 'cancelled' })
  expect(requests).toHaveLength(1)
})

test.for([400, 401, 403, 404, 413, 422, 307])(
  '%d throws RequestRefusedError with the detail of the API, and is not retried',
  async (status) => {
    const detail = [{ type: 'missing', loc: ['body', 'job_type'], msg: 'Field required' }]
    const { connection, requests } = script(answer(status, { detail }))
    const failure = await send(connection).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(RequestRefusedError)
    expect(failure).toMatchObject({ status, detail })
    expect(String(failure)).toContain('Field required')
    expect(requests).toHaveLength(1)
  },
)

test('redirects are not followed', async () => {
  const { connection, requests } = script(answer(200, JOB))
  await send(connection)
  expect(requests[0]?.init.redirect).toBe('manual')
})

test('a client needs a URL, and a key that can be a header value', () => {
  const { connection, requests } = script(answer(200, JOB))
  expect(() => new Milepost({ ...connection, key: 'mp_a\nb' })).toThrow('The key contains characters')
  expect(() => new Milepost({ ...connection, url: 'jobs.test' })).toThrow('Not an http(s) URL: jobs.test')
  expect(() => new Milepost({ url: 'https://jobs.test', key: '' })).toThrow('MILEPOST_API_KEY')
  expect(() => new Milepost({ ...connection, giveUpAfterMs: Number.NaN })).toThrow('giveUpAfterMs')
  expect(() => new Milepost({ ...connection, attemptTimeoutMs: '10 s' as never })).toThrow('attemptTimeoutMs')
  expect(requests).toHaveLength(0)
})

test('a reply that is not a job throws', async () => {
  const { connection } = script(answer(200, { hello: 'world' }))
  await expect(new Milepost(connection).createJob({ jobType: 't', totalItems: 0 })).rejects.toThrow(
    'not a job',
  )
})

test('the environment names the API and the key', async () => {
  vi.stubEnv('MILEPOST_URL', 'https://jobs.test/base/')
  vi.stubEnv('MILEPOST_API_KEY', 'mp_env')
  onTestFinished(() => void vi.unstubAllEnvs())
  const { connection, requests } = script(answer(200, JOB))
  await new Milepost({ fetch: connection.fetch }).jobs.get('job_1')
  expect(requests[0]?.url).toBe('https://jobs.test/base/api/jobs/job_1')
  expect(requests[0]?.headers.get('authorization')).toBe('Bearer mp_env')
})

test('lists and entries are read page by page, as far as they are asked for', async () => {
  const page = (next: string | null) => answer(200, { jobs: [JOB, JOB], next_cursor: next })
  const { connection, requests } = script(page('a'), page('b'), page(null))
  const { jobs } = new Milepost(connection)
  let seen = 0
  for await (const job of jobs.list({ status: ['failed', 'cancelled'], metadata: false, pageSize: 2 })) {
    expect(job.jobId).toBe('job_1')
    if (++seen === 3) break
  }
  expect(requests.map(({ url }) => url)).toEqual([
    'https://jobs.test/api/jobs/?status=failed%2Ccancelled&metadata=false&limit=2',
    'https://jobs.test/api/jobs/?status=failed%2Ccancelled&metadata=false&limit=2&cursor=a',
  ])
})

test('jobs are found by their labels and a search, counted, and listed as children', async () => {
  const { connection, requests } = script(
    answer(200, { jobs: [{ ...JOB, labels: { a: 'b' }, parent_job_id: 'job_0' }], next_cursor: null }),
    answer(200, { jobs: [JOB], next_cursor: 'x', total: 10_000, total_is_exact: false }),
    answer(200, { jobs: [JOB], next_cursor: null }),
  )
  const { jobs } = new Milepost(connection)
  const found = jobs.list({ labels: { a: 'b', c: 'd:e' }, search: 'imp', sort: 'oldest', late: true })
  expect((await found.next()).value).toMatchObject({ labels: { a: 'b' }, parentJobId: 'job_0', lateAt: null })
  expect(await jobs.count({ status: 'failed', labels: { a: 'b' } })).toEqual({
    total: 10_000,
    isExact: false,
  })
  await jobs.children('job_1', { sort: 'oldest' }).next()
  expect(requests.map(({ url }) => url.replace('https://jobs.test/api/jobs/', ''))).toEqual([
    '?late=true&q=imp&sort=oldest&label=a%3Ab&label=c%3Ad%3Ae',
    '?status=failed&label=a%3Ab&include=total&limit=1&metadata=false',
    'job_1/children?sort=oldest',
  ])
})

const event = (id: number, name: string, status: string) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify({ ...JOB, status, processed_items: id })}\n\n`

test('a watcher connects again from the last event it saw, and ends with the job', async () => {
  const stream = (text: string) => () =>
    new Response(text, { headers: { 'content-type': 'text/event-stream' } })
  const { connection, requests } = script(
    stream(`: \n\n${event(1, 'job', 'in_progress')}id: 2\nevent: job\nda`),
    noConnection,
    answer(503, {}),
    stream(event(1, 'job', 'in_progress') + event(3, 'finished', 'completed') + event(4, 'job', 'x')),
  )
  // The real clock: this one would let the silence after which a stream counts as dead pass at once.
  const { clock: _, ...options } = connection
  const seen: unknown[] = []
  for await (const { status, processedItems } of new Milepost(options).jobs.watch('job_1'))
    seen.push([status, processedItems])
  expect(seen).toEqual([
    ['in_progress', 1],
    ['completed', 3],
  ])
  expect(requests.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, '1', '1', '1'])
})

test('a wait without an end does not end at once', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const ended = vi.fn()
  void systemClock.wait(Number.POSITIVE_INFINITY).then(ended)
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(ended).not.toHaveBeenCalled()
})

test('a stream that is silent for 45 seconds is dead, and a heartbeat is a sign of life', async () => {
  const clock = new VirtualClock()
  const streams: ReadableStreamDefaultController[] = []
  const fetch: Fetch = async (_, { signal }) => {
    const start = (stream: ReadableStreamDefaultController) => {
      streams.push(stream)
      signal?.addEventListener('abort', () => stream.error(signal.reason))
    }
    return new Response(new ReadableStream({ start }))
  }
  const send = (text: string) => streams.at(-1)?.enqueue(new TextEncoder().encode(text))
  const { jobs } = new Milepost({ url: 'https://jobs.test', key: 'mp_1', clock, fetch })
  const first = jobs.watch('job_1').next()
  await clock.pass(44_000)
  send(': \n\n')
  await clock.pass(44_000)
  expect(streams).toHaveLength(1)
  await clock.pass(2_000)
  expect(streams).toHaveLength(2)
  send(event(1, 'finished', 'completed'))
  expect(await clock.until(first)).toMatchObject({ value: { status: 'completed' } })
})

test('watching an unknown job is refused, and a finished one that was seen ends at once', async () => {
  const { connection } = script(
    answer(404, { detail: 'Job not found' }),
    () => new Response(null, { status: 204 }),
  )
  const { jobs } = new Milepost(connection)
  await expect(jobs.watch('job_1').next()).rejects.toMatchObject({ status: 404, detail: 'Job not found' })
  expect(await jobs.watch('job_1').next()).toEqual({ done: true, value: undefined })
})
