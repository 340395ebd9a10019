import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SHOWN_ENTRY_BYTES } from '../../src/jobs/limits.ts'
import { newestFitting, type SizedEntry, shownTexts, withAppended } from '../../src/jobs/recent-entries.ts'

function sized(sizes: number[]): SizedEntry[] {
  return sizes.map((bytes, index) => ({ text: `${index}`, bytes }))
}

test('a job shows its newest 100 entries of each kind', () => {
  const entries = sized(Array.from({ length: 150 }, () => 10))
  expect(newestFitting(entries)).toEqual(entries.slice(50))
  expect(withAppended(entries.slice(0, 100), entries.slice(100))).toEqual(entries.slice(50))
  expect(shownTexts({ errors: entries.slice(50), warnings: [] }).errors).toHaveLength(100)
})

describe('All entries of a reply together take at most 256 KB', () => {
  const KB = 1_024

  test('as many of the newest as fit', () => {
    expect(shownTexts({ errors: sized([200 * KB, 100 * KB, 100 * KB]), warnings: [] }).errors).toEqual([
      '1',
      '2',
    ])
  })

  test('each kind gets half of the room, and what the other leaves of its half', () => {
    const errors = sized([100 * KB, 100 * KB])
    expect(shownTexts({ errors, warnings: sized([100 * KB]) })).toEqual({ errors: ['1'], warnings: ['0'] })
    expect(shownTexts({ errors, warnings: sized([50 * KB]) })).toEqual({
      errors: ['0', '1'],
      warnings: ['0'],
    })
  })

  test('in their order, whatever their size', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300_000 }), { maxLength: 100 })
    fc.assert(
      fc.property(sizes, sizes, (ofErrors, ofWarnings) => {
        const recent = { errors: newestFitting(sized(ofErrors)), warnings: newestFitting(sized(ofWarnings)) }
        const shown = shownTexts(recent)
        const bytesOf = (texts: string[], of: number[]) =>
          texts.reduce((sum, text) => sum + (of[Number(text)] ?? 0), 0)
        expect(bytesOf(shown.errors, ofErrors) + bytesOf(shown.warnings, ofWarnings)).toBeLessThanOrEqual(
          SHOWN_ENTRY_BYTES,
        )
        for (const [texts, of] of [
          [shown.errors, ofErrors],
          [shown.warnings, ofWarnings],
        ] as const) {
          expect(texts).toEqual(
            sized(of)
              .map(({ text }) => text)
              .slice(of.length - texts.length),
          )
        }
      }),
    )
  })
})
