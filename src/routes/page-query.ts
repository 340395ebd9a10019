import { z } from 'zod'
import { field, integer, type Reading, text } from '../http/fields.ts'

/** Entries on one page, at most. */
export const MAX_PAGE = 1_000

/** The query of a list of entries. */
export const PageQuery = z.object({
  limit: integer({ least: 1, most: MAX_PAGE }).prefault(100).describe('Entries on the page, at most'),
  cursor: field({ type: 'string' }, readCursor)
    .prefault('0')
    .describe('Where to go on: next_cursor of the page before'),
  error_type: text(4_096)
    .optional()
    .describe('Only entries of this type; a page may then hold fewer than there are'),
})

function readCursor(value: unknown): Reading<number> {
  if (typeof value === 'string' && /^[0-9]{1,9}$/.test(value)) return { value: Number(value) }
  return { fault: { type: 'string_pattern_mismatch', msg: 'String should be the next_cursor of a page' } }
}
