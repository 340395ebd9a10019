import type { ReportedEntry } from 'milepost'
import { isBlank, readNumber, readText, showCell } from './cell.ts'
import { findDoubts } from './find-doubts.ts'
import type { Mapping } from './mapping.ts'
import { readDate } from './read-date.ts'

/** One row of a feed, numbered from 1. `problem` says why the row could not be read. */
export type FeedRow = { number: number; value: unknown } | { number: number; problem: string }

/** What a usable row sends to the import. */
export interface Item {
  key: string
  title: string
  /** ISO 8601: a day, a month or a year. */
  release_date: string | null
  amount: number | null
  supplier: string | null
  age_rating: string | null
}

type RowOutcome =
  | { kind: 'usable'; item: Item; warnings: ReportedEntry[] }
  | { kind: 'refused'; error: ReportedEntry }

const LONGEST_TEXT = 300

/**
 * Checks one row. A usable row becomes an item, with a warning for each doubtful value; a bad row is refused with one error.
 * `firstRowOfKey` holds the keys of the usable rows so far; the caller adds to it.
 *
 * Each refused row is an entity of its own, even if it duplicates a product: failed items are counted by distinct type and key,
 * and every refused row must count. The type is "row" because a product may have the key "row#7".
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
  if (!isRecord(value)) return refuse('not_a_record', 'The row is not an object')

  const title = value[mapping.title]
  if (isBlank(title)) return refuse('missing_title', 'The product has no title')
  // A numeric title was mangled by a spreadsheet: 7 may have been "007" or "7.0".
  if (typeof title !== 'string') return refuse('title_not_text', `The title is not text: ${showCell(title)}`)
  if (title.length > LONGEST_TEXT)
    return refuse('title_too_long', `The title is longer than ${LONGEST_TEXT} characters`)

  const key = mapping.key === undefined ? slugify(title) : readText(value[mapping.key])
  if (key === null || key === '') return refuse('missing_key', `${showCell(title)} has no key`)
  if (key.length > LONGEST_TEXT)
    return refuse('key_too_long', `The key is longer than ${LONGEST_TEXT} characters`)
  const firstRow = firstRowOfKey.get(key)
  if (firstRow !== undefined) {
    const message = `${showCell(title)} has the same key as row ${firstRow}: ${key}`
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

/** 'Alien³: Déjà Vu' → 'alien3-deja-vu'. Keeps letters of every script. Empty if the title has no letter or digit. */
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
