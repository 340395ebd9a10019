import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Report } from '../../src/jobs/job.ts'
import { MAX_INTEGER } from '../../src/jobs/limits.ts'
import { presentJob } from '../../src/jobs/present-job.ts'
import { aJob, JobInMemory } from './fixtures.ts'

const FULL = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`name-${n}`, 1]))

function jobAfter(...reports: Report[]): JobInMemory {
  const memory = new JobInMemory(aJob({}))
  for (const report of reports) expect(memory.report(report)).toMatchObject({ ok: true })
  return memory
}

describe('What parallel workers count', () => {
  const amount = fc.nat({ max: 1_000_000 })
  const names = fc.constantFrom('created', 'skipped', '__proto__', 'constructor', '7')
  const delta: fc.Arbitrary<Report> = fc.record(
    { processedDelta: amount, counters: fc.dictionary(names, amount), stage: fc.constant('uploading') },
    { requiredKeys: [] },
  )
  /** What each worker reports, and whose turn it is. */
  const work = fc.tuple(
    fc.array(fc.array(delta, { maxLength: 8 }), { minLength: 1, maxLength: 5 }),
    fc.infiniteStream(fc.nat()),
  )

  test('adds up exactly, however their reports interleave', () => {
    fc.assert(
      fc.property(work, ([workers, turns]) => {
        const memory = new JobInMemory(aJob({}))
        const queues = workers.map((reports) => [...reports])
        for (let left = queues.flat().length; left > 0; left--) {
          const waiting = queues.filter((queue) => queue.length > 0)
          const queue = waiting[(turns.next().value as number) % waiting.length]
          expect(memory.report(queue?.shift() ?? {}).ok).toBe(true)
        }
        const all = workers.flat()
        expect(memory.job.processedItems).toBe(sum(all.map(({ processedDelta = 0 }) => processedDelta)))
        const counted = all.flatMap(({ counters = {} }) => Object.entries(counters))
        const expected = [...new Set(counted.map(([name]) => name))].map((name) => [
          name,
          sum(counted.flatMap(([other, count]) => (other === name ? count : []))),
        ])
        expect(Object.entries(memory.job.counters).toSorted()).toEqual(expected.toSorted())
      }),
    )
  })

  test('is added to what was set before, and setting it replaces it', () => {
    const { job } = jobAfter({ processedItems: 10 }, { processedDelta: 5 }, { processedDelta: 0 })
    expect(job.processedItems).toBe(15)
    expect(jobAfter({ processedDelta: 5 }, { processedItems: 2 }).job.processedItems).toBe(2)
  })

  test('stops at the largest integer instead of failing the report', () => {
    const most = { processedDelta: MAX_INTEGER, counters: { a: MAX_INTEGER } }
    const { job } = jobAfter(most, most, { processedDelta: 1, counters: { a: 1 } })
    expect(job).toMatchObject({ processedItems: MAX_INTEGER, counters: { a: MAX_INTEGER } })
  })

  test('counts in the report that finishes the job, and in its percentage', () => {
    const { job } = jobAfter({ totalItems: 4, processedDelta: 1 }, { processedDelta: 3, markCompleted: true })
    expect(JSON.parse(presentJob({ job, errors: [], warnings: [] }, job.updatedAt))).toMatchObject({
      status: 'completed',
      processed_items: 4,
      progress_percentage: 100,
    })
  })
})

describe('The names of counters', () => {
  test('may be any, even __proto__ and its like', () => {
    const odd = JSON.parse('{"__proto__":1,"constructor":2,"toString":3}')
    const { job } = jobAfter({ counters: odd }, { counters: odd })
    expect(JSON.stringify(job.counters)).toBe('{"__proto__":2,"constructor":4,"toString":6}')
    expect(Object.getPrototypeOf(job.counters)).toBe(Object.prototype)
  })

  test('are at most 50: a report with more changes nothing, and known ones still count', () => {
    const memory = jobAfter({ counters: FULL })
    const { job } = memory
    expect(memory.report({ processedDelta: 5, counters: { 'name-0': 1, new: 1, newer: 1 } })).toEqual({
      ok: false,
      reason: 'too_many_counters',
      names: 52,
    })
    expect(memory.job).toBe(job)
    expect(memory.report({ counters: { 'name-0': 4 } }).ok).toBe(true)
    expect(memory.job.counters).toEqual({ ...FULL, 'name-0': 5 })
  })

  test.each<[Report, string]>([
    [{ markCompleted: true }, 'completed'],
    [{ markFailed: 'disk full' }, 'failed'],
  ])('never cost a mark: the report %o counts what it can, and says how much it left out', (mark, status) => {
    const memory = jobAfter({ counters: FULL })
    const report = { ...mark, processedDelta: 5, counters: { 'name-0': 4, new: 1, newer: 1 } }
    expect(memory.report(report).ok).toBe(true)
    expect(memory.job).toMatchObject({ status, processedItems: 5, countersNotKept: 2 })
    expect(memory.job.counters).toEqual({ ...FULL, 'name-0': 5 })
  })
})

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
