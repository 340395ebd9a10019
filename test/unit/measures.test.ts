import { describe, expect, test } from 'vitest'
import { durationSeconds, progressPercentage, successRate } from '../../src/jobs/measures.ts'
import { aJob } from './fixtures.ts'

describe('progress_percentage', () => {
  test.each([
    ['counts failed items as handled', { totalItems: 8, processedItems: 2, failedItems: 1 }, 37.5],
    ['has 2 decimals', { totalItems: 3, processedItems: 2 }, 66.67],
    ['never exceeds 100', { totalItems: 3, processedItems: 9 }, 100],
    ['is 0 without a total', { totalItems: 0, processedItems: 9 }, 0],
    ['is 100 without a total once completed', { status: 'completed' as const }, 100],
    ['is 100 without a total in partial success', { status: 'partial_success' as const }, 100],
    ['stays 0 without a total if the job failed', { status: 'failed' as const }, 0],
    [
      'says how far a completed job came',
      { status: 'completed' as const, totalItems: 4, processedItems: 3 },
      75,
    ],
  ])('%s', (_, given, expected) => {
    expect(progressPercentage(aJob(given))).toBe(expected)
  })
})

describe('success_rate', () => {
  test.each([
    ['is the share of the handled items that did not fail', { processedItems: 3, failedItems: 1 }, 75],
    ['has 2 decimals', { processedItems: 2, failedItems: 1 }, 66.67],
    ['is 0 until an item is handled', { totalItems: 10 }, 0],
  ])('%s', (_, given, expected) => {
    expect(successRate(aJob(given))).toBe(expected)
  })
})

describe('duration_seconds', () => {
  test.each([
    ['is null before the start', {}, null],
    ['grows while the job runs', { startedAt: 1_000 }, 4.5],
    ['stops when the job finishes', { startedAt: 1_000, completedAt: 3_250 }, 2.25],
    ['is never negative, even if the clock is set back', { startedAt: 9_000 }, 0],
  ])('%s', (_, given, expected) => {
    expect(durationSeconds(aJob(given), 5_500)).toBe(expected)
  })
})
