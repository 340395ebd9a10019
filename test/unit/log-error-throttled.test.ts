import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { logErrorThrottled, logJobError } from '../../src/log.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const D1_AWAY = new Error('D1_ERROR: away')

let lines: Record<string, unknown>[]
let bytes: number
let now: number
let event: string

beforeEach(({ task }) => {
  lines = []
  bytes = 0
  now = Date.parse('2026-06-01T12:00:00Z')
  // The throttle belongs to the isolate, so each test has its own event.
  event = task.id
  vi.spyOn(console, 'error').mockImplementation((line: string) => {
    bytes += line.length + 1
    lines.push(JSON.parse(line))
  })
})
afterEach(() => void vi.restoreAllMocks())

const keyOf = (n: number) => ({ organizationId: `org-${n % 7}`, jobId: `job-${n}` })
const fail = (n: number) => logJobError(event, keyOf(n), D1_AWAY, now)

describe('Errors of jobs', () => {
  test('are logged at once, with the job', () => {
    fail(1)
    expect(lines).toEqual([
      {
        event,
        organization: 'org-1',
        job_id: 'job-1',
        jobs: 1,
        times: 1,
        error: 'Error',
        said: 'D1_ERROR: away',
        at: expect.any(Array),
      },
    ])
  })

  test('are logged once a minute, however many jobs they happen to, and each is counted once', () => {
    for (let second = 0; second <= 130; second++) {
      for (let n = 0; n < 500; n++) fail(n)
      now += SECOND
    }
    expect(lines.map(({ jobs, times }) => ({ jobs, times }))).toEqual([
      { jobs: 1, times: 1 },
      { jobs: 500, times: 60 * 500 },
      { jobs: 500, times: 60 * 500 },
    ])
    expect(bytes).toBeLessThan(5_000)
  })

  test('are logged at once after a pause, with the count from before the pause', () => {
    for (let n = 0; n < 20; n++) fail(n)
    now += HOUR
    fail(3)
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatchObject({ job_id: 'job-3', jobs: 19, times: 20 })
  })

  test('of one event do not hold back another event', () => {
    fail(1)
    logJobError(`${event} another`, keyOf(1), D1_AWAY, now)
    expect(lines.map((line) => line.event)).toEqual([event, `${event} another`])
  })

  test.each([
    ['back an hour', -HOUR],
    ['forward a day', 24 * HOUR],
  ])('is not silenced by a clock that is set %s', (_, step) => {
    fail(1)
    fail(2)
    now += step
    fail(3)
    fail(4)
    now += MINUTE
    fail(5)
    expect(lines.map(({ job_id, times }) => ({ job_id, times }))).toEqual([
      { job_id: 'job-1', times: 1 },
      { job_id: 'job-3', times: 2 },
      { job_id: 'job-5', times: 2 },
    ])
  })

  test('are counted for up to 1,000 jobs and remembered for 64 events: memory has a bound', () => {
    for (let n = 0; n <= 5_000; n++) fail(n)
    now += MINUTE
    fail(0)
    expect(lines.at(-1)).toMatchObject({ jobs: 1_000, times: 5_001 })
    for (let n = 0; n < 63; n++) logJobError(`${event} ${n}`, keyOf(1), D1_AWAY, now)
    lines = []
    fail(1)
    expect(lines).toEqual([])
    logJobError(`${event} 63`, keyOf(1), D1_AWAY, now)
    fail(1)
    expect(lines).toHaveLength(2)
  })
})

test('errors without a job are logged once a minute, too, and counted', () => {
  for (let second = 0; second < 120; second++) {
    logErrorThrottled(event, { status: 401 }, D1_AWAY, now)
    now += SECOND
  }
  expect(lines.map(({ status, times, jobs }) => ({ status, times, jobs }))).toEqual([
    { status: 401, times: 1 },
    { status: 401, times: 60 },
  ])
})
