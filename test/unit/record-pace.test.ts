import { describe, expect, test } from 'vitest'
import { Pace } from '../../src/recorder/pace.ts'

const START = 1_000_000

/** The interval that the last of so many jobs is told, each of which comes once. */
function intervalOf(jobs: number, pace = new Pace(), now = START): number {
  let interval = 0
  for (let n = 0; n < jobs; n++) interval = pace.next(`job-${n}`, now + n)
  return interval
}

describe('A job is recorded', () => {
  test.each([
    [1, 1_000],
    [100, 1_000],
    [500, 5_000],
    [2_000, 20_000],
    [3_000, 30_000],
    [50_000, 30_000],
  ])('with %i live jobs every %i ms', (jobs, interval) => {
    expect(intervalOf(jobs)).toBe(interval)
  })

  test('as often as before, however often it comes itself', () => {
    const pace = new Pace()
    for (let n = 0; n < 10_000; n++) expect(pace.next('job', START + n)).toBe(1_000)
  })

  test('less often for half a minute after many were live, and then as few require', () => {
    const pace = new Pace()
    intervalOf(1_000, pace)
    expect(pace.next('job', START + 31_000)).toBe(10_000)
    expect(pace.next('job', START + 62_000)).toBe(1_000)
  })

  test('as few require when the clock is set back', () => {
    const pace = new Pace()
    intervalOf(1_000, pace)
    pace.next('job', START - 3_600_000)
    expect(pace.next('job', START - 3_500_000)).toBe(1_000)
  })
})
