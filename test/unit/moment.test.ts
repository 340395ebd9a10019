import { expect, test } from 'vitest'
import { Moment } from '../../src/moment.ts'

test.each([
  [0, true],
  [999, true],
  [1_000, false],
  [86_400_000, false],
  // In the future: the clock was set back.
  [-1, false],
  [-3_600_000, false],
])('%d ms after it, a moment is within a second: %s', (age, isWithin) => {
  expect(new Moment(1e12).isWithin(1_000, 1e12 + age)).toBe(isWithin)
})
