import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  EntriesDroppedError,
  JobClosedError,
  RequestRefusedError,
  UnreachableError,
} from '../../clients/typescript/src/errors.ts'
import type { Report, ReportedEntry } from '../../clients/typescript/src/job.ts'
import type { JobReporter } from '../../clients/typescript/src/job-reporter.ts'
import { Milepost } from '../../clients/typescript/src/milepost.ts'
import type { MilepostOptions } from '../../clients/typescript/src/options.ts'
import { applyToFakeJob, FakeApi, newFakeJob } from './fake-api.ts'
import { VirtualClock } from './virtual-clock.ts'

function start(options: MilepostOptions = {}) {
  const clock = new VirtualClock()
  const api = new FakeApi(clock.now)
  const problems: Error[] = []
  const onProblem = (problem: Error) => void problems.push(problem)
  const { fetch } = api
  const milepost = new Milepost({
    url: 'https://jobs.test',
    key: 'mp_1',
    clock,
    fetch,
    onProblem,
    ...options,
  })
  return { clock, api, problems, job: milepost.job('job_1') }
}

function entry(entityKey: string, more: Partial<ReportedEntry> = {}): ReportedEntry {
  return { entityType: 'row', entityKey, errorType: 'bad', message: 'no', ...more }
}

function fail(message: string): never {
  throw new Error(message)
}

function keys(entries: { entity_key: string }[]): string[] {
  return entries.map(({ entity_key }) => entity_key)
}

test('a tight loop of calls becomes a few requests, the first of them at once', async () => {
  const { clock, api, job } = start()
  job.started()
  for (let row = 0; row < 10_000; row++) {
    job.add(1, { created: 1 })
    // One row takes a millisecond.
    await clock.pass(row % 100 === 0 ? 100 : 0)
  }
  await clock.until(job.complete())
  expect(api.arrivals[0]?.at).toBe(Date.parse('2026-01-01T00:00:00Z'))
  expect(api.arrivals.length).toBeLessThan(25)
  expect(api.job).toMatchObject({ status: 'completed', processed: 10_000, counters: { created: 10_000 } })
}, 20_000)

test('reports go at most twice a second', async () => {
  const { clock, api, job } = start()
  for (let n = 1; n <= 100; n++) {
    job.processed(n)
    await clock.pass(50)
  }
  const gaps = api.arrivals.slice(1).map(({ at }, index) => at - (api.arrivals[index]?.at ?? 0))
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500)
  expect(api.arrivals.length).toBeGreaterThanOrEqual(10)
})

test('a stage goes at once, and what was reported before it does not come after it', async () => {
  const { clock, api, job } = start()
  job.stage('checking')
  await clock.pass(0)
  job.processed(5)
  await clock.pass(10)
  job.stage('uploading')
  job.processed(6)
  await clock.pass(10)
  expect(api.reports).toEqual([{ stage: 'checking' }, { processed_items: 6, stage: 'uploading' }])
  job.stage('a')
  job.stage('b')
  await clock.pass(10)
  expect(api.job.stages).toEqual(['checking', 'uploading', 'a', 'b'])
})

test('stages that change all the time are held to the rate, and the newest is there in the end', async () => {
  const { clock, api, job } = start()
  for (let n = 0; n < 1_000; n++) {
    job.stage(`stage ${n}`)
    await clock.pass(1)
  }
  expect(api.arrivals.length).toBeLessThan(15)
  await clock.until(job.complete())
  expect(api.job.stages.at(-1)).toBe('stage 999')
  expect(api.arrivals.length).toBeLessThan(100)
})

const text = fc.constantFrom('a', 'b', 'c')
const entries = fc.array(
  fc.integer({ min: 0, max: 3 }).map((n) => entry(`e${n}`)),
  { maxLength: 3 },
)
const report: fc.Arbitrary<Report> = fc.record(
  {
    markStarted: fc.constant(true),
    totalItems: fc.nat(9),
    processedItems: fc.nat(99),
    processedDelta: fc.nat(9),
    counters: fc.dictionary(fc.constantFrom('created', 'constructor', 'skipped'), fc.nat(9)),
    metadataPatch: fc.dictionary(fc.constantFrom('x', 'y', 'stage', 'last_message'), fc.nat(9)),
    stage: text,
    message: text,
    error: entries.map(([first = entry('e9')]) => first),
    errors: entries,
    warnings: entries,
  },
  { requiredKeys: [] },
)
const call = fc.oneof(
  { weight: 6, arbitrary: report.map((given) => ({ do: 'report' as const, report: given })) },
  { weight: 3, arbitrary: fc.nat(900).map((ms) => ({ do: 'pass' as const, ms })) },
  { weight: 1, arbitrary: fc.constant({ do: 'flush' as const }) },
)
const faults = fc.array(
  fc.constantFrom(undefined, undefined, 'dropped', 'reply lost', 'unavailable', 'truncated'),
  { maxLength: 12 },
)

/** What one call would be on the wire, if it was sent alone. */
function alone({ error, errors = [], warnings = [], ...given }: Report) {
  const toWire = (it: ReportedEntry) => ({
    entity_key: it.entityKey,
    entity_type: it.entityType,
    error_type: it.errorType,
    message: it.message,
  })
  return {
    mark_started: given.markStarted,
    total_items: given.totalItems,
    processed_items: given.processedItems,
    processed_delta: given.processedDelta,
    counters: given.counters,
    metadata_patch: given.metadataPatch,
    stage: given.stage,
    message: given.message,
    errors: [...(error ? [error] : []), ...errors].map(toWire),
    warnings: warnings.map(toWire),
  }
}

test('whatever is called, and whatever fails, the job is as if each call had been applied on its own', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 40 }), faults, async (calls, given) => {
      const { clock, api, problems, job } = start()
      api.faults.push(...given)
      const expected = newFakeJob()
      const flushes: Promise<void>[] = []
      for (const step of calls) {
        if (step.do === 'pass') await clock.pass(step.ms)
        else if (step.do === 'flush') flushes.push(job.flush())
        else {
          job.report(step.report)
          applyToFakeJob(expected, alone(step.report))
        }
      }
      await clock.until(Promise.all([...flushes, job.complete()]))
      expect(api.job).toEqual({ ...expected, status: 'completed' })
      expect(problems).toEqual([])
      expect(clock.timers).toBe(0)
    }),
    { numRuns: 200 },
  )
}, 30_000)

test('entries are cut into reports that the API takes, in order', async () => {
  const { clock, api, job } = start()
  const message = 'x'.repeat(4_000)
  for (let n = 0; n < 1_200; n++) {
    job.error(entry(`e${n}`))
    job.warning(entry(`w${n}`, { message }))
  }
  job.processed(7)
  await clock.until(job.complete())
  expect(keys(api.job.errors)).toEqual(Array.from({ length: 1_200 }, (_, n) => `e${n}`))
  expect(keys(api.job.warnings)).toEqual(Array.from({ length: 1_200 }, (_, n) => `w${n}`))
  expect(api.reports.at(-1)).toMatchObject({ mark_completed: true })
  expect(api.reports.length).toBeLessThan(10)
})

test('the newest entries are dropped when too many wait, and the last report says how many', async () => {
  const { clock, api, problems, job } = start()
  for (let n = 0; n < 10_007; n++) job.error(entry(`e${n}`))
  expect(job.dropped).toBe(7)
  expect(problems.at(-1)).toBeInstanceOf(EntriesDroppedError)
  await clock.until(job.complete())
  expect(api.job.errors).toHaveLength(10_000)
  expect(api.job.warnings).toMatchObject(
    [{ entity_type: 'job', entity_key: 'job_1', error_type: 'entries_dropped', message: /^7 / }].map(
      (it) => ({ ...it, message: expect.stringMatching(it.message) }),
    ),
  )
})

test('large entries are dropped by their bytes', async () => {
  const { job } = start()
  const details = { text: 'x'.repeat(800_000) }
  for (let n = 0; n < 12; n++) job.error(entry(`e${n}`, { details }))
  expect(job.dropped).toBe(2)
})

test('a worker that awaits `drained` loses no entry', async () => {
  const { clock, api, job } = start()
  const work = async () => {
    for (let n = 0; n < 30_000; n++) {
      job.error(entry(`e${n}`))
      if (n % 100 === 0) await job.drained()
    }
    await job.complete()
  }
  await clock.until(work())
  expect(job.dropped).toBe(0)
  expect(api.job.errors).toHaveLength(30_000)
})

test('after a cancellation the worker is told, and what it has done is sent once, without marks', async () => {
  const { clock, api, problems, job } = start()
  job.started()
  job.processed(3)
  await clock.pass(0)
  api.cancel()
  job.error(entry('e1'))
  const ended = job.complete()
  await expect(clock.until(ended)).rejects.toMatchObject({ name: 'JobClosedError', status: 'cancelled' })
  expect(job.signal.reason).toBeInstanceOf(JobClosedError)
  expect(api.job).toMatchObject({ status: 'cancelled', processed: 3, errors: [{ entity_key: 'e1' }] })
  job.processed(9)
  await clock.pass(5_000)
  expect(api.arrivals).toHaveLength(3)
  expect(problems).toEqual([])
})

test('a report that meets a cancellation does not use up the final one: all that is left is in that', async () => {
  const { clock, api, problems, job } = start()
  job.started()
  await clock.pass(1_000)
  api.cancel()
  for (let n = 0; n < 450; n++) job.error(entry(`e${n}`))
  job.stage('one')
  job.add(3)
  job.stage('two')
  job.add(4)
  await clock.pass(1_000)
  expect(job.signal.aborted).toBe(true)
  expect(api.job).toMatchObject({ status: 'cancelled', processed: 7, metadata: { stage: 'two' } })
  expect(api.job.errors).toHaveLength(450)
  expect(problems).toEqual([])
})

test('after a cancellation, one bad entry does not take what is left with it', async () => {
  const { clock, api, problems, job } = start()
  job.started()
  await clock.until(job.flush())
  api.cancel()
  api.refuse = ({ errors = [] }) => {
    const at = keys(errors).indexOf('bad')
    return at < 0 ? undefined : { status: 422, detail: [{ loc: ['body', 'errors', at, 'message'] }] }
  }
  job.stage('loading')
  job.stage('checking')
  job.add(7)
  job.error(entry('good'))
  job.error(entry('bad'))
  await expect(clock.until(job.complete())).rejects.toMatchObject({ status: 'cancelled' })
  expect(api.job).toMatchObject({ processed: 7, errors: [{ entity_key: 'good' }] })
  expect(problems[0]).toMatchObject({ refused: { errors: [{ entity_key: 'bad' }] } })
})

test('a cancellation is seen in the reply to any report, and later calls are ignored', async () => {
  const { clock, api, job } = start()
  job.processed(1)
  await clock.pass(1_000)
  api.cancel()
  job.processed(2)
  await clock.pass(1_000)
  expect(job.signal.aborted).toBe(true)
  expect(api.job.processed).toBe(2)
  job.processed(3)
  await clock.pass(1_000)
  expect(api.arrivals).toHaveLength(2)
  await expect(job.flush()).rejects.toBeInstanceOf(JobClosedError)
  await expect(job.complete()).rejects.toMatchObject({ status: 'cancelled' })
})

test('after a cancellation, entries that do not fit one report are not sent, and the worker is told how many', async () => {
  const { clock, api, problems, job } = start()
  api.cancel()
  for (let n = 0; n < 1_200; n++) job.error(entry(`e${n}`))
  const failure = await clock.until(job.complete().catch((error) => error))
  // The first report was taken as the last one before the client knew.
  expect(keys(api.job.errors)).toEqual(Array.from({ length: 500 }, (_, n) => `e${n}`))
  expect(failure).toMatchObject({ name: 'JobClosedError', unsent: { errors: 700 } })
  expect(problems).toMatchObject([{ unsent: { errors: 700 } }])
})

test('a report that was acknowledged is flushed, though the reply says that the job has ended since', async () => {
  const { clock, api, job } = start()
  api.faults.push('reply lost')
  job.error(entry('e1'))
  const flushed = job.flush()
  await clock.pass(0)
  api.job.status = 'completed'
  await clock.until(flushed)
  expect(job.signal.reason).toMatchObject({ status: 'completed' })
  expect(keys(api.job.errors)).toEqual(['e1'])
})

test('a job that was finished elsewhere gets no more reports', async () => {
  const { clock, api, job } = start()
  api.job.status = 'completed'
  job.processed(1)
  await clock.pass(10)
  expect(job.signal.reason).toMatchObject({ status: 'completed' })
  expect(api.arrivals).toHaveLength(1)
})

test('one bad entry is refused alone, and named', async () => {
  const { clock, api, problems, job } = start()
  api.refuse = ({ errors = [] }) => {
    const index = keys(errors).indexOf('bad')
    return index < 0 ? undefined : { status: 422, detail: [{ loc: ['body', 'errors', index, 'message'] }] }
  }
  job.add(2, { created: 2 })
  for (const key of ['a', 'bad', 'b']) job.error(entry(key))
  const flushed = job.flush()
  await expect(clock.until(flushed)).rejects.toBeInstanceOf(RequestRefusedError)
  await clock.until(job.complete())
  expect(api.job).toMatchObject({ processed: 2, counters: { created: 2 }, status: 'completed' })
  expect(keys(api.job.errors)).toEqual(['a', 'b'])
  expect(problems).toMatchObject([{ status: 422, refused: { errors: [{ entity_key: 'bad' }] } }])
})

test.each([400, 422])('a report refused with %d does not hold up the next', async (status) => {
  const { clock, api, problems, job } = start()
  api.refuse = ({ stage }) => (stage === 'bad' ? { status, detail: 'no' } : undefined)
  job.stage('bad')
  await clock.pass(0)
  job.stage('good')
  await clock.until(job.complete())
  expect(api.job.stages).toEqual(['good'])
  expect(problems).toMatchObject([{ name: 'RequestRefusedError', refused: { stage: 'bad' } }])
})

test('what is not JSON or not a count never reaches the queue', async () => {
  const { clock, api, problems, job } = start()
  job.processed(Number.NaN)
  job.add(-1)
  job.count({ created: 0.5 })
  job.error(entry('e1', { details: { size: 1n } }))
  job.processed(2)
  await clock.until(job.complete())
  expect(problems.map(({ name }) => name)).toEqual(Array(4).fill('TypeError'))
  expect(api.job).toMatchObject({ processed: 2, errors: [], status: 'completed' })
})

test('values of the wrong type are told, and neither end the worker nor take what is right with them', async () => {
  const { clock, api, problems, job } = start()
  const circular: { self?: unknown } = {}
  circular.self = circular
  const wrong: (() => void)[] = [
    () => job.report('5/10' as never),
    () => job.report({ stage: 5n as never }),
    () => job.message(circular as never),
    () => job.message(Symbol('done') as never),
    () => job.error(undefined as never),
    () => job.report({ metadataPatch: 'pages: 3' as never }),
    () => job.count([5] as never),
    () => job.report({ markFailed: new Error('no') as never }),
  ]
  for (const call of wrong) call()
  job.processed(2)
  await clock.until(job.complete())
  expect(problems.map(({ name }) => name)).toEqual(wrong.map(() => 'TypeError'))
  expect(api.job).toMatchObject({ processed: 2, metadata: {}, counters: {}, status: 'completed' })
})

test('a text that is too large does not take the counts with it', async () => {
  const { clock, api, problems, job } = start()
  job.add(10)
  job.message('x'.repeat(2_000_000))
  job.report({ metadataPatch: { one: 'x'.repeat(600_000) } })
  job.report({ metadataPatch: { two: 'x'.repeat(600_000) } })
  job.add(1)
  await clock.until(job.complete())
  expect(api.job).toMatchObject({ processed: 11, metadata: {}, status: 'completed' })
  expect(problems.map(({ name }) => name)).toEqual(['TypeError', 'RequestRefusedError'])
})

test('half a character does not take the text with it, nor a long reason the end of the job', async () => {
  const { clock, api, problems, job } = start()
  const half = 'Hat 🎩'.slice(0, 5)
  job.message(half)
  job.report({ metadataPatch: { hat: half, sizes: [1, null] } })
  job.error(entry(half, { details: { hat: half, count: 2 } }))
  await clock.until(job.fail(half.repeat(1_000_000)))
  const whole = 'Hat \ufffd'
  expect(problems).toEqual([])
  expect(api.job.metadata).toEqual({ hat: whole, sizes: [1, null], last_message: whole })
  expect(api.job.errors).toMatchObject([{ entity_key: whole, details: { hat: whole, count: 2 } }])
  expect(api.reports.at(-1).mark_failed).toHaveLength(16_384)
})

test('a counter too many is not counted, and the others are', async () => {
  const { clock, api, problems, job } = start()
  for (let n = 0; n < 60; n++) job.count({ [`c${n}`]: 1, c0: 1 })
  await clock.until(job.complete())
  expect(Object.keys(api.job.counters)).toHaveLength(50)
  expect(api.job.counters).toMatchObject({ c0: 60, c49: 1 })
  expect(problems[0]?.message).toBe('A job has at most 50 counters. Not counted: c50')
  expect(problems).toHaveLength(10)
})

test('a clock that throws ends the reports, and not the worker', async () => {
  const clock = new VirtualClock()
  const { fetch } = new FakeApi(clock.now)
  const problems: string[] = []
  const onProblem = ({ message }: Error) => void problems.push(message)
  const wait = () => Promise.reject(new Error('out of time'))
  const options = { url: 'https://jobs.test', key: 'mp_1', fetch, onProblem }
  const job = new Milepost({ ...options, clock: Object.assign(clock, { wait }) }).job('job_1')
  job.processed(1)
  await clock.pass(0)
  job.processed(2)
  await clock.pass(0)
  expect(problems).toEqual(['out of time'])
})

test('a wrong key ends all reporting: each report would only count as another failed login', async () => {
  const { clock, api, job } = start()
  api.refuse = () => ({ status: 401, detail: 'Invalid credentials' })
  job.processed(1)
  await clock.pass(10)
  job.processed(2)
  await expect(job.complete()).rejects.toMatchObject({ status: 401 })
  expect(api.arrivals).toHaveLength(1)
  expect(job.signal.aborted).toBe(false)
})

test('nothing is lost when the API cannot be reached: the worker is told, and the next call goes on', async () => {
  const { clock, api, problems, job } = start()
  api.faults.push(...Array(200).fill('dropped'))
  job.add(3)
  job.error(entry('e1'))
  await clock.pass(70_000)
  expect(problems).toMatchObject([{ name: 'UnreachableError', unsent: { processedDelta: 3, errors: 1 } }])
  expect(problems[0]?.message).toContain('Not sent yet: 1 error, 3 more processed')
  // It has paused: nothing keeps the process alive.
  expect(clock.timers).toBe(0)

  const ended = clock.until(job.complete())
  await expect(ended).rejects.toBeInstanceOf(UnreachableError)
  expect(problems).toHaveLength(2)

  api.faults.splice(0)
  expect((await clock.until(job.complete())).processedItems).toBe(3)
  expect(api.job).toMatchObject({ processed: 3, status: 'completed' })
  const first = api.arrivals[0]
  expect(api.arrivals.filter(({ body }) => body === first?.body).every(({ key }) => key === first?.key)).toBe(
    true,
  )
})

test('a long Retry-After is kept to, even if the worker goes on reporting', async () => {
  const { clock, api, job } = start()
  let wait = '3600'
  const { fetch } = api
  let attempts = 0
  const withPause = start({
    fetch: async (url, init) => {
      attempts++
      const headers = { 'retry-after': wait }
      return wait === '' ? await fetch(url, init) : new Response('{}', { status: 429, headers })
    },
  })
  for (let minute = 0; minute < 50; minute++) {
    withPause.job.add()
    await withPause.clock.pass(60_000)
  }
  expect(attempts).toBe(1)
  wait = ''
  await withPause.clock.pass(700_000)
  expect((await withPause.clock.until(withPause.job.complete())).processedItems).toBe(50)
  job.close()
  await clock.pass(0)
})

test('the caller sets how long an awaited call may take', async () => {
  const { clock, api, job } = start()
  api.faults.push(...Array(200).fill('dropped'))
  const begun = clock.now()
  await expect(clock.until(job.fail('no', { giveUpAfterMs: 800 }))).rejects.toBeInstanceOf(UnreachableError)
  expect(clock.now() - begun).toBeLessThanOrEqual(800)
})

test('fail wins over a complete that has not been sent; the first end that arrives stays', async () => {
  const { clock, api, job } = start()
  const ends = Promise.allSettled([job.complete(), job.fail('The disk is full')])
  expect(await clock.until(ends)).toMatchObject([
    { reason: { name: 'JobClosedError', status: 'failed' } },
    { value: { status: 'failed' } },
  ])
  await expect(job.complete()).rejects.toMatchObject({ status: 'failed' })
  await expect(job.fail('again')).resolves.toMatchObject({ status: 'failed' })
  expect(api.arrivals).toHaveLength(1)
})

test('a block that is left without an end fails the job, and one that ended it does not', async () => {
  const [left, ended] = [start(), start()]
  const use = async (job: JobReporter, isEnded: boolean) => {
    await using reporter = job
    reporter.started()
    if (isEnded) await reporter.complete()
  }
  await left.clock.until(use(left.job, false))
  await ended.clock.until(use(ended.job, true))
  expect(left.api.reports.at(-1)).toMatchObject({ mark_failed: expect.stringContaining('left the job') })
  expect(ended.api.job.status).toBe('completed')
})

test('close stops at once, and says what was not sent', async () => {
  const { clock, api, problems, job } = start()
  job.add(2)
  job.close()
  job.add(3)
  await clock.pass(10_000)
  expect(api.arrivals).toEqual([])
  expect(problems).toMatchObject([{ unsent: { processedDelta: 2 } }])
})

test.each([
  ['throws', (message: string) => void fail(message)],
  ['rejects', async (message: string) => fail(message)],
])('a callback that %s does not stop the reports, nor the worker', async (_, callback) => {
  const { clock, api } = start()
  const milepost = new Milepost({ url: 'https://jobs.test', key: 'mp_1', clock, fetch: api.fetch })
  const problems: unknown[] = []
  const job = milepost.job('job_1', {
    onProgress: () => callback('the bar is broken'),
    onProblem: (problem) => {
      problems.push(problem)
      return callback('the log is broken')
    },
  })
  job.processed(1)
  await clock.until(job.complete())
  expect(api.job.status).toBe('completed')
  expect(String(problems[0])).toContain('the bar is broken')
})

test('an idle reporter has no timer', async () => {
  const { clock, job } = start()
  job.processed(1)
  await clock.pass(600)
  expect(clock.timers).toBe(0)
})
