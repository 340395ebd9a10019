import { z } from 'zod'
import { cursor, integer } from '../http/fields.ts'

/** Entries on one page, at most. */
export const MAX_PAGE = 1_000

/** The query of a list of entries. */
export const PageQuery = z.object({
  limit: integer({ least: 1, most: MAX_PAGE }).prefault(100).describe('Entries on the page, at most'),
  cursor: cursor().prefault('0').describe('Where to go on: next_cursor of the page before'),
})
