import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type History, knownHistory, packHistory, unpackHistory, withPoint } from '../../src/jobs/history.ts'
import type { Job } from '../../src/jobs/job.ts'
import { HISTORY_SPACING, MAX_POINTS } from '../../src/jobs/limits.ts'
import { aJob } from './fixtures.ts'

const START = aJob({}).createdAt

/** The histories of a job after each of its changes: `pauses` in ms lie between them. Each processes one item. */
function historiesOf(pauses: number[]): History[] {
  let job = aJob({ status: 'in_progress' })
  let history = knownHistory(job)
  let now = START
  return pauses.map((pause) => {
    now += pause
    const next: Job = { ...job, processedItems: job.processedItems + 1, revision: job.revision + 1 }
    history = withPoint(history, job, next, now)
    job = next
    return history
  })
}

const timesOf = ({ points }: History) => points.map(([at]) => at)
const gapsOf = (history: History) =>
  timesOf(history)
    .slice(1)
    .map((at, place) => at - (timesOf(history)[place] ?? 0))

const pauses = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 2_000 }),
    fc.integer({ min: 0, max: 100_000 }),
    fc.integer({ min: 0, max: 86_400_000 }),
  ),
  { minLength: 1, maxLength: 600, size: 'max' },
)
/** As above, but the clock may be set back. */
const steps = fc.array(fc.integer({ min: -5_000, max: 10_000 }), {
  minLength: 1,
  maxLength: 500,
  size: 'max',
})

describe('A history', () => {
  test('is bounded, begins with the creation, ends with the newest change, and its times never fall', () => {
    fc.assert(
      fc.property(pauses, (pauses) => {
        let now = START
        historiesOf(pauses).forEach((history, change) => {
          now += pauses[change] ?? 0
          expect(history.points.length).toBeLessThanOrEqual(MAX_POINTS)
          expect(history.points[0]).toEqual([START, 0, 0])
          expect(history.points.at(-1)).toEqual([now, change + 1, 0])
          expect(Math.min(...gapsOf(history))).toBeGreaterThanOrEqual(0)
        })
      }),
      { numRuns: 10 },
    )
  })

  test('keeps its points at least its spacing apart, but for the last', () => {
    fc.assert(
      fc.property(pauses, (pauses) => {
        const history = historiesOf(pauses).at(-1) as History
        expect(unpackHistory(structuredClone(packHistory(history)))).toEqual(history)
        for (const gap of gapsOf(history).slice(0, -1)) expect(gap).toBeGreaterThanOrEqual(history.spacing)
      }),
      { numRuns: 50 },
    )
  })

  test('of a job that reports evenly is evenly spread, and uses its room', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 500, max: 3_000 }),
        (pause, count) => {
          const history = historiesOf(Array<number>(count).fill(pause)).at(-1) as History
          const gaps = gapsOf(history).slice(0, -1)
          if (gaps.length === 0) return
          expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * history.spacing + pause)
          if (pause * count > MAX_POINTS * HISTORY_SPACING)
            expect(history.points.length).toBeGreaterThanOrEqual(MAX_POINTS / 4)
        },
      ),
      { numRuns: 20 },
    )
  })

  test('has no time in the future after the clock was set back', () => {
    fc.assert(
      fc.property(steps, (steps) => {
        let now = START
        historiesOf(steps).forEach((history, change) => {
          now += steps[change] ?? 0
          const times = timesOf(history)
          expect(times.length).toBeLessThanOrEqual(MAX_POINTS)
          expect(times).toEqual(times.toSorted((a, b) => a - b))
          expect(times.at(-1)).toBe(now)
        })
      }),
      { numRuns: 30 },
    )
  })
})

test('A finished job gets no point for a delivery, and one in place of the last for its final report', () => {
  const running = aJob({ status: 'in_progress' })
  const canceled: Job = { ...running, status: 'cancelled', completedAt: START + 5_000, revision: 2 }
  const history = withPoint(knownHistory(running), running, canceled, START + 5_000)
  expect(history.points).toEqual([
    [START, 0, 0],
    [START + 5_000, 0, 0],
  ])
  expect(
    withPoint(history, canceled, { ...canceled, nextDeliveryAt: null, revision: 3 }, START + 9_000),
  ).toBe(history)
  const final = { ...canceled, processedItems: 7, failedItems: 1, revision: 3 }
  expect(withPoint(history, canceled, final, START + 20_000).points).toEqual([
    [START, 0, 0],
    [START + 5_000, 7, 1],
  ])
})

test('A job whose history was not kept has its creation and its state', () => {
  const job = aJob({ processedItems: 3, failedItems: 1, updatedAt: START + 9_000, revision: 4 })
  expect(knownHistory(job).points).toEqual([
    [START, 0, 0],
    [START + 9_000, 3, 1],
  ])
})
