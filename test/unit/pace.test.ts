import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Report } from '../../src/jobs/job.ts'
import { etaSeconds, ratePerSecond } from '../../src/jobs/pace.ts'
import { presentSummary } from '../../src/jobs/present-job.ts'
import { aJob, aReportedEntry, JobInMemory } from './fixtures.ts'

const START = 1_800_000_000_000
const SECOND = 1_000
const MINUTE = 60 * SECOND

/** A job that started at START, with its values so many seconds later. */
function aTimedJob(totalItems = 10_000) {
  const memory = new JobInMemory(aJob({ totalItems }))
  memory.report({ markStarted: true }, START)
  return {
    memory,
    reportAt: (second: number, report: Report) => memory.report(report, START + second * SECOND),
    etaAt: (second: number) => etaSeconds(memory.job, START + second * SECOND),
    rateAt: (second: number) => ratePerSecond(memory.job, START + second * SECOND),
  }
}

describe('The ETA', () => {
  test('is the number of items left over the rate of handled items, failed ones included', () => {
    const { reportAt, etaAt, rateAt } = aTimedJob(100)
    reportAt(10, { processedItems: 15, errors: ['a', 'b', 'c', 'd', 'e'].map(anErrorOf) })
    expect(rateAt(10)).toBe(2)
    expect(etaAt(10)).toBe(40)
  })

  test('is presented in whole seconds', () => {
    const { memory, reportAt } = aTimedJob(100)
    reportAt(10, { processedItems: 30 })
    expect(presentSummary(memory.job, START + 10 * SECOND)).toMatchObject({
      eta_seconds: 23,
      rate_per_second: 3,
    })
  })

  test('grows while nothing more is reported', () => {
    const { reportAt, etaAt } = aTimedJob(100)
    reportAt(10, { processedItems: 50 })
    expect([etaAt(10), etaAt(20), etaAt(100)]).toEqual([10, 20, 100])
  })

  test('follows the last minutes, not the whole run of the job', () => {
    const { reportAt, etaAt, rateAt } = aTimedJob(100_000)
    let processedItems = 0
    const work = (from: number, to: number, perSecond: number) => {
      for (let second = from; second < to; second += 5) {
        processedItems += perSecond * 5
        reportAt(second + 5, { processedItems })
      }
    }
    work(0, 3_600, 1)
    expect(rateAt(3_600)).toBeCloseTo(1)
    work(3_600, 3_600 + 330, 100)
    expect(rateAt(3_930)).toBeCloseTo(100, 0)
    expect(etaAt(3_930)).toBe(Math.round((100_000 - processedItems) / (rateAt(3_930) ?? 0)))
  })

  test('is 0 once everything is handled', () => {
    const { reportAt, etaAt } = aTimedJob(10)
    reportAt(10, { processedItems: 10 })
    expect(etaAt(10)).toBe(0)
  })
})

describe('There is no ETA', () => {
  test.each<[string, (job: ReturnType<typeof aTimedJob>) => void]>([
    ['until an item is handled', ({ reportAt }) => reportAt(10, { stage: 'downloading' })],
    ['if more items were handled than there are', ({ reportAt }) => reportAt(10, { processedItems: 101 })],
    ['while the total is unknown', ({ reportAt }) => reportAt(10, { processedItems: 5, totalItems: 0 })],
    ['once the job is finished', ({ reportAt }) => reportAt(10, { processedItems: 50, markCompleted: true })],
  ])('%s', (_, happen) => {
    const job = aTimedJob(100)
    happen(job)
    expect(job.etaAt(10)).toBeNull()
  })

  test('before the job starts', () => {
    const memory = new JobInMemory(aJob({ totalItems: 100 }))
    memory.report({ processedItems: 50 }, START + 10 * SECOND)
    expect(etaSeconds(memory.job, START + 20 * SECOND)).toBeNull()
  })

  test('in the first seconds, which are too few to go by', () => {
    const { reportAt, etaAt } = aTimedJob(100)
    reportAt(2, { processedItems: 10 })
    expect(etaAt(2.9)).toBeNull()
    expect(etaAt(3)).not.toBeNull()
  })

  test('right after a long silence, when the measurement restarts', () => {
    const { memory, reportAt } = aTimedJob(1_000)
    reportAt(10, { processedItems: 100 })
    reportAt(10 + 30 * 60, { processedItems: 110 })
    expect(memory.job.pace).toEqual([{ at: START + (10 + 30 * 60) * SECOND, done: 110 }])
  })

  test('right after the count was set back, when the measurement restarts', () => {
    const { reportAt, etaAt, rateAt } = aTimedJob(1_000)
    reportAt(20, { processedItems: 500 })
    reportAt(40, { processedItems: 100 })
    expect(etaAt(41)).toBeNull()
    reportAt(50, { processedItems: 120 })
    expect(rateAt(50)).toBe(2)
  })
})

/** Steps of a worker: the seconds that pass, possibly backward, and the count after them. */
const steps = fc.array(
  fc.record({
    seconds: fc.integer({ min: -20, max: 200 }),
    report: fc.record(
      {
        processedItems: fc.nat({ max: 1_000 }),
        totalItems: fc.nat({ max: 1_000 }),
        errors: fc.array(fc.constantFrom('a', 'b', 'c').map(anErrorOf), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  }),
  { maxLength: 60 },
)

test('for any reports, an ETA is null or a whole number of seconds from 0 up', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: -10, max: 1_000 }), (given, later) => {
      const { memory, reportAt, etaAt, rateAt } = aTimedJob(500)
      let second = 0
      for (const { seconds, report } of given) {
        second += seconds
        reportAt(second, report)
        for (const at of [second, second + later]) {
          const [eta, rate] = [etaAt(at), rateAt(at)]
          if (eta !== null)
            expect(eta).toSatisfy((value: number) => Number.isSafeInteger(value) && value >= 0)
          if (rate !== null) expect(rate).toSatisfy((value: number) => Number.isFinite(value) && value > 0)
        }
      }
      expect(JSON.parse(JSON.stringify(memory.job.pace))).toEqual(memory.job.pace)
    }),
  )
})

test('a job keeps few samples, spaced apart and reaching back about five minutes, however often it reports', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 300 }), (pauses) => {
      const { memory, reportAt } = aTimedJob(1_000_000)
      let second = 0
      for (const [index, pause] of pauses.entries()) {
        second += pause
        reportAt(second, { processedItems: index })
      }
      const { pace } = memory.job
      const now = START + second * SECOND
      expect(pace.length).toBeLessThanOrEqual(22)
      for (const [index, { at }] of pace.slice(1).entries()) {
        expect(at - (pace[index]?.at ?? 0)).toBeGreaterThanOrEqual(15 * SECOND)
      }
      // Reports 20 s apart at most, samples 35 s: one of them is the last that is older than the window.
      const oldest = pace[0]?.at ?? 0
      expect(now - oldest).toBeLessThanOrEqual(5 * MINUTE + 2 * 35 * SECOND)
      expect(now - oldest).toBeGreaterThanOrEqual(Math.min(second * SECOND, 5 * MINUTE - 35 * SECOND))
    }),
  )
})

function anErrorOf(entityKey: string) {
  return aReportedEntry({ entityKey })
}
