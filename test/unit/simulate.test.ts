import { describe, expect, test } from 'vitest'
import { passedBounds } from '../../scripts/simulate/find-limit.ts'
import { priceOf, storageOf, sumOf, useOf } from '../../scripts/simulate/price.ts'
import { type Load, simulateDatabase } from '../../scripts/simulate/simulate-database.ts'
import { VirtualTime } from '../../scripts/simulate/virtual-time.ts'

const SPAN = { warmUp: 40_000, measured: 60_000 }

function aLoad(liveJobs: number, given: Partial<Load> = {}): Load {
  return {
    jobsPerDay: liveJobs * 20,
    liveJobs,
    reportsPerSecond: 1,
    entryShare: 0.05,
    recorders: 1,
    ...given,
  }
}

describe('The simulation', () => {
  test('gives the same figures for the same load', () => {
    const [first, second] = [1, 2].map(() => simulateDatabase(aLoad(200), SPAN))
    expect(first).toEqual(second)
  })

  test('counts each report once', () => {
    const { progress } = simulateDatabase(aLoad(200), SPAN)
    expect(progress.count / (200 * 60)).toBeCloseTo(1, 1)
  })

  test('records a few jobs within about a second', () => {
    const { progress, batches, d1Busy } = simulateDatabase(aLoad(20), SPAN)
    expect(progress.quantile(0.99)).toBeLessThan(1_200)
    expect(batches).toBeLessThanOrEqual(10)
    expect(d1Busy).toBeLessThan(0.1)
  })

  test('shows what grows with the jobs: the lag, and not the batches', () => {
    const few = simulateDatabase(aLoad(500), SPAN)
    const many = simulateDatabase(aLoad(5_000), SPAN)
    expect(many.batches).toBeLessThan(1.5 * few.batches)
    expect(many.progress.quantile(0.5)).toBeGreaterThan(3 * few.progress.quantile(0.5))
    expect(many.progress.max).toBeLessThan(31_000)
    expect(many.statuses.quantile(0.99)).toBeLessThan(500)
  })

  test('names the bound that is passed', () => {
    expect(passedBounds(simulateDatabase(aLoad(5_000), SPAN))).toEqual([])
    const tooMany = simulateDatabase(aLoad(30_000), { warmUp: 40_000, measured: 10_000 })
    expect(passedBounds(tooMany)).toEqual([expect.stringMatching(/^a recorder gets \d+ calls a second$/)])
  })

  test('has a job that reports every second kept active all the time, and one that reports every hour hardly', () => {
    const busy = simulateDatabase(aLoad(3_000), SPAN)
    expect(busy.activeObjects / 3_000).toBeGreaterThan(0.9)
    const silent = simulateDatabase(aLoad(3_000, { reportsPerSecond: 1 / 3_600, jobsPerDay: 60 }), SPAN)
    expect(silent.activeObjects / 3_000).toBeLessThan(0.02)
  })
})

test('a million reports cost what their requests, rows and time cost', () => {
  const load = aLoad(1_000, { jobsPerDay: 1, entryShare: 0 })
  const figures = simulateDatabase(load, SPAN)
  const prices = priceOf(useOf(load, figures))
  const million = (price: number) => (price / figures.reports) * 1e6
  expect(million(prices.workerRequests)).toBeCloseTo(0.3)
  // A row each, and the alarm twice in 30 s.
  expect(million(prices.objectRowsWritten)).toBeCloseTo(1.07, 1)
  // 128 MB for a second each.
  expect(million(prices.objectGbSeconds)).toBeGreaterThan(1.4)
  expect(million(prices.objectGbSeconds)).toBeLessThan(1.61)
  expect(million(sumOf(prices))).toBeLessThan(4)
})

test('a database fills with the jobs and their entries', () => {
  const jobsAlone = storageOf(aLoad(50_000, { jobsPerDay: 1_000_000, entryShare: 0 }))
  expect(jobsAlone.gbPerDay).toBeCloseTo(1.44)
  expect(jobsAlone.databasesForRetention).toBe(13)
  expect(storageOf(aLoad(50_000, { jobsPerDay: 1_000_000 })).daysToFull).toBeLessThan(1)
})

test('virtual time runs what is scheduled in order, whatever was scheduled first', () => {
  const time = new VirtualTime(100)
  const ran: number[] = []
  for (const at of [170, 120, 150, 110, 160, 50, 140]) time.at(at, () => ran.push(time.now))
  time.at(120, () => time.at(130, () => ran.push(time.now)))
  time.runUntil(165)
  expect(ran).toEqual([100, 110, 120, 130, 140, 150, 160])
  expect(time.now).toBe(165)
})
