import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Run, usualPace } from '../../src/jobs/usual-pace.ts'

const run = fc.record({
  createdAt: fc.nat(1_000),
  duration: fc.nat(100_000),
  items: fc.nat(1_000),
})

test('No more than the newest runs count, and half and nine in ten of them take no longer', () => {
  fc.assert(
    fc.property(
      fc.array(run, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 20 }),
      (runs, most) => {
        const { jobs, duration } = usualPace(runs, most)
        expect(jobs).toBe(Math.min(most, runs.length))
        const times = runs
          .toSorted((a, b) => b.createdAt - a.createdAt)
          .slice(0, most)
          .map((each) => each.duration / 1_000)
        const within = (most: number | null) => times.filter((time) => time <= (most ?? -1)).length / jobs
        expect(within(duration.median)).toBeGreaterThanOrEqual(0.5)
        expect(within(duration.p90)).toBeGreaterThanOrEqual(0.9)
        expect(times).toContain(duration.median)
        expect(times).toContain(duration.p90)
      },
    ),
  )
})

test('Runs without items or time have no rate', () => {
  const runs: Run[] = [
    { createdAt: 1, duration: 0, items: 5 },
    { createdAt: 2, duration: 2_000, items: 0 },
    { createdAt: 3, duration: 4_000, items: 20 },
  ]
  expect(usualPace(runs, 100)).toEqual({
    jobs: 3,
    duration: { median: 2, p90: 4 },
    rate: { median: 5, p90: 5 },
  })
  const none = { median: null, p90: null }
  expect(usualPace([], 100)).toEqual({ jobs: 0, duration: none, rate: none })
})
