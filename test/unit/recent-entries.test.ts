import { expect, test } from 'vitest'
import { nextPlace } from '../../src/jobs/entry-page.ts'
import { recentOf } from '../../src/jobs/recent-entries.ts'
import { aJob } from './job-in-memory.ts'

const MILLION = 'x'.repeat(1_000_000)

test('a job is shown with its newest 100 entries', () => {
  const texts = Array.from({ length: 150 }, (_, n) => `${n}`)
  expect(recentOf(texts)).toEqual(texts.slice(50))
  expect(recentOf(texts.slice(0, 3))).toEqual(['0', '1', '2'])
  expect(recentOf([])).toEqual([])
})

test('with fewer where those weigh too much, and with one however much that weighs', () => {
  expect(recentOf([MILLION, MILLION, MILLION, 'last'])).toEqual([MILLION, 'last'])
  expect(recentOf(['first', MILLION + MILLION + MILLION])).toEqual([MILLION + MILLION + MILLION])
})

test('a page that ends early by its weight goes on behind its last entry', () => {
  const page = { kind: 'error' as const, after: 10, limit: 1_000, errorType: null }
  const entry = (seq: number, text: string) => ({ kind: 'error' as const, seq, text })
  const job = aJob({ errorCount: 20, keptErrors: 20 })
  const heavy = [11, 12, 13, 14].map((seq) => entry(seq, MILLION))
  expect(nextPlace(page, heavy, job)).toBe(14)
  expect(nextPlace({ ...page, errorType: 'bad_row' }, heavy, job)).toBe(14)
  expect(nextPlace(page, [entry(20, '{}')], job)).toBeNull()
})
