import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, isFinished, type Report } from '../../src/jobs/job.ts'
import { durationSeconds, progressPercentage, successRate } from '../../src/jobs/measures.ts'
import { utf8Bytes } from '../../src/jobs/utf8-bytes.ts'
import { aJob, aReportedEntry, JobInMemory } from './fixtures.ts'

/** Rules that hold for any reports in any order. There are few keys and types, so that they collide. */
const entries = fc.array(
  fc
    .record({
      entityKey: fc.constantFrom('a', 'b', 'ç', '😀'),
      entityType: fc.constantFrom('product', 'price', 'job'),
    })
    .map(aReportedEntry),
  { maxLength: 4 },
)
const count = fc.nat({ max: 20 })
const anyReport: fc.Arbitrary<Report> = fc.record(
  {
    markStarted: fc.constant(true as const),
    totalItems: count,
    processedItems: count,
    processedDelta: count,
    counters: fc.dictionary(fc.constantFrom('a', '__proto__'), count),
    metadataPatch: fc.dictionary(
      fc.constantFrom('a', 'stage', '__proto__'),
      fc.jsonValue() as fc.Arbitrary<never>,
    ),
    stage: fc.constantFrom('downloading', 'uploading'),
    message: fc.string(),
    errors: entries,
    warnings: entries,
  },
  { requiredKeys: [] },
)
const anyMark: fc.Arbitrary<Report> = fc.oneof(
  fc.constant({ markCompleted: true as const }),
  fc.record({ markFailed: fc.constantFrom('', 'disk full') }),
)
const reports = fc.array(fc.oneof({ arbitrary: anyReport, weight: 6 }, { arbitrary: anyMark, weight: 1 }), {
  maxLength: 12,
})
/** The clock may stand still or be set back between two reports. */
const clock = fc.infiniteStream(fc.integer({ min: -5_000, max: 60_000 }))

test('percentages stay in range, durations are never negative, and counts equal the distinct entities', () => {
  fc.assert(
    fc.property(reports, clock, (given, steps) => {
      const memory = new JobInMemory(aJob({}))
      let now = memory.job.createdAt
      for (const report of given) {
        now += steps.next().value as number
        memory.report(report, now)
        const { job } = memory
        expect(progressPercentage(job)).toSatisfy(isPercentage)
        expect(successRate(job)).toSatisfy(isPercentage)
        expect(durationSeconds(job, now) ?? 0).toBeGreaterThanOrEqual(0)
        const failed = distinct(memory.entries, 'error')
        const warned = distinct(memory.entries, 'warning')
        expect(job.failedItems).toBe(failed.size)
        expect(job.warnedItems).toBe([...warned].filter((entity) => !failed.has(entity)).length)
        expect(job.errorCount).toBe(memory.entries.filter(({ kind }) => kind === 'error').length)
        expect(job.warningCount).toBe(memory.entries.filter(({ kind }) => kind === 'warning').length)
      }
    }),
  )
})

test('a job keeps no more bytes of entries than it may, counts them exactly, and always takes a mark', () => {
  fc.assert(
    fc.property(reports, fc.nat({ max: 2_000 }), anyMark, (given, most, mark) => {
      const memory = new JobInMemory(aJob({}), most)
      let reported = 0
      for (const report of given) {
        if (!memory.report(report).ok || isFinished(memory.job.status)) break
        reported += (report.errors ?? []).length + (report.warnings ?? []).length
        const { entryBytes, errorCount, warningCount, keptErrors, keptWarnings } = memory.job
        expect(entryBytes).toBe(memory.entries.reduce((sum, { text }) => sum + utf8Bytes(text), 0))
        expect(entryBytes).toBeLessThanOrEqual(most)
        expect(errorCount + warningCount).toBe(reported)
        for (const [kind, kept] of [['error', keptErrors] as const, ['warning', keptWarnings] as const]) {
          const seqs = memory.entries.filter((entry) => entry.kind === kind).map(({ seq }) => seq)
          expect(seqs).toEqual(Array.from({ length: kept }, (_, n) => n + 1))
        }
      }
      memory.report(mark)
      expect(isFinished(memory.job.status)).toBe(true)
    }),
  )
})

test('a finished job never changes again', () => {
  fc.assert(
    fc.property(reports, reports, anyMark, (before, after, mark) => {
      const memory = new JobInMemory(aJob({}))
      for (const report of before) memory.report(report)
      memory.report(mark)
      const finished = structuredClone(memory.job)
      expect(isFinished(finished.status)).toBe(true)
      for (const report of after) memory.report(report)
      expect(memory.job).toEqual(finished)
    }),
  )
})

test('a refused report leaves the job unchanged, and an applied one raises the revision by one', () => {
  fc.assert(
    fc.property(reports, (given) => {
      const memory = new JobInMemory(aJob({}))
      for (const report of given) {
        const before = structuredClone(memory.job)
        const wasFinished = isFinished(before.status)
        const outcome = memory.report(report)
        if (outcome.ok && !wasFinished) expect(memory.job.revision).toBe(before.revision + 1)
        else expect(memory.job).toEqual(before)
      }
    }),
  )
})

test('the same reports always make the same job', () => {
  fc.assert(
    fc.property(reports, (given) => {
      const [first, second] = [new JobInMemory(aJob({})), new JobInMemory(aJob({}))]
      for (const report of given) expect(first.report(report)).toEqual(second.report(structuredClone(report)))
    }),
  )
})

function isPercentage(value: number): boolean {
  return value >= 0 && value <= 100 && Math.abs(value * 100 - Math.round(value * 100)) < 1e-6
}

function distinct(all: Entry[], kind: Entry['kind']): Set<string> {
  const entities = all.filter((entry) => entry.kind === kind).map(({ text }) => JSON.parse(text))
  return new Set(
    entities
      .filter(({ entity_type }) => entity_type !== 'job')
      .map(({ entity_type, entity_key }) => `${entity_type} ${entity_key}`),
  )
}
