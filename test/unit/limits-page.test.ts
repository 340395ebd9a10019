import { expect, test } from 'vitest'
import page from '../../docs/limits.md?raw'
import * as limits from '../../src/jobs/limits.ts'

const bounds = Object.entries(limits).flatMap(([name, value]) =>
  Object.values(typeof value === 'number' ? { '': value } : value).map((bound) => ({ name, bound })),
)

test.each(bounds)('docs/limits.md has the bound $bound of $name', ({ bound }) => {
  const words = waysToSay(bound).map((words) => words.replace('^', '\\^'))
  expect(page).toMatch(new RegExp(`(?<![\\d,])(?:${words.join('|')})(?![\\d,]*\\d|\\w)`))
})

/** A bound as a plain number, as bytes, or as ms. */
function waysToSay(bound: number): string[] {
  const units: [number, string[]][] = [
    [1_024, ['KB']],
    [1_024 ** 2, ['MB']],
    [1_000, ['s', 'seconds?']],
    [60_000, ['min', 'minutes?']],
    [3_600_000, ['h', 'hours?']],
  ]
  const inUnits = units
    .filter(([size]) => Number.isInteger(bound / size))
    .flatMap(([size, names]) => names.map((name) => `${bound / size} ${name}`))
  return [bound.toLocaleString('en-US'), ...(bound === 2 ** 63 ? ['2^63'] : []), ...inUnits]
}
