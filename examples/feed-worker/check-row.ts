import type { ReportedEntry } from '../../src/client/wire.ts'
import { isBlank, readNumber, readText, showCell } from './cell.ts'
import { findDoubts } from './find-doubts.ts'
import type { Mapping } from './mapping.ts'
import { readDate } from './read-date.ts'

/** One row of a feed, numbered from 1; `problem` says why it could not be read at all. */
export type FeedRow = { number: number; value: unknown } | { number: number; problem: string }

/** What is dispatched downstream of a row. */
export interface Item {
  key: string
  title: string
  /** ISO 8601, of a day, a month or a year. */
  release_date: string | null
  amount: number | null
  supplier: string | null
  age_rating: string | null
}

export type RowOutcome =
  | { kind: 'usable'; item: Item; warnings: ReportedEntry[] }
  | { kind: 'refused'; error: ReportedEntry }

const LONGEST_TEXT = 300

/**
 * Judges one row: an item to dispatch, with a warning for each thing that is doubtful about it; or the one error for which it
 * is refused. `firstRowOfKey` has the keys of the usable rows before this one; the caller adds to it.
 *
 * A refused row is reported as an entity of its own, never as the product that it duplicates: failed items are counted by
 * distinct type and key, and each refused row is to count. Its type is "row", for a product may have the key "row#7".
 */
export function checkRow(
  row: FeedRow,
  mapping: Mapping,
  today: Date,
  firstRowOfKey: ReadonlyMap<string, number>,
): RowOutcome {
  const refuse = (errorType: string, message: string, entityKey = 'row', details = {}): RowOutcome => ({
    kind: 'refused',
    error: {
      entityKey: `${entityKey}#${row.number}`,
      entityType: 'row',
      errorType,
      message,
      step: 'transforming',
      details: { row: row.number, ...details },
    },
  })

  if ('problem' in row) return refuse('unreadable_row', row.problem)
  const { value } = row
  if (!isRecord(value)) return refuse('not_a_record', 'The row is not a set of named values')

  const title = value[mapping.title]
  if (isBlank(title)) return refuse('missing_title', 'The product has no title')
  // A number is a title that a spreadsheet took for one: whether 7 was "007" or "7.0", nobody can tell any more.
  if (typeof title !== 'string') return refuse('title_not_text', `The title is not text: ${showCell(title)}`)
  if (title.length > LONGEST_TEXT)
    return refuse('title_too_long', `The title has over ${LONGEST_TEXT} characters`)

  const key = mapping.key === undefined ? slugify(title) : readText(value[mapping.key])
  if (key === null || key === '') return refuse('missing_key', `There is no key for ${showCell(title)}`)
  if (key.length > LONGEST_TEXT) return refuse('key_too_long', `The key has over ${LONGEST_TEXT} characters`)
  const firstRow = firstRowOfKey.get(key)
  if (firstRow !== undefined) {
    const message = `${showCell(title)} has the key of row ${firstRow}, ${key}`
    return refuse('duplicate_key', message, key, { key, first_row: firstRow })
  }

  const doubts = findDoubts(value, mapping, today)
  return {
    kind: 'usable',
    warnings: doubts.map(({ type, message, details }) => ({
      entityKey: key,
      entityType: 'product',
      errorType: type,
      message,
      step: 'transforming',
      details: { row: row.number, ...details },
    })),
    item: {
      key,
      title: title.trim().toWellFormed(),
      release_date: mapping.releaseDate === undefined ? null : readDate(value[mapping.releaseDate]),
      amount: mapping.amount === undefined ? null : readNumber(value[mapping.amount]),
      supplier: mapping.supplier === undefined ? null : readText(value[mapping.supplier]),
      age_rating: mapping.ageRating === undefined ? null : readText(value[mapping.ageRating]),
    },
  }
}

/** 'Alien³: Déjà Vu' → 'alien3-deja-vu'; letters of every script stay. Empty when there is no letter or digit. */
function slugify(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, '-')
    .replace(/^-|-$/g, '')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
