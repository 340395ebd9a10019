import { isBlank, readNumber, readText, showCell } from './cell.ts'
import type { Mapping } from './mapping.ts'
import { readDate } from './read-date.ts'

/** Something about a usable row that a person should check. */
interface Doubt {
  type: string
  message: string
  details?: Record<string, unknown>
}

type Row = Record<string, unknown>

const YEARS_AHEAD = 2

/** Finds everything doubtful about a row, at most one doubt per column. Release dates are compared with `today`. */
export function findDoubts(row: Row, mapping: Mapping, today: Date): Doubt[] {
  const doubts = [
    doubtTitle(row[mapping.title]),
    mapping.releaseDate === undefined ? null : doubtReleaseDate(mapping.releaseDate, row, today),
    mapping.amount === undefined ? null : doubtAmount(mapping.amount, row),
    mapping.supplier === undefined ? null : doubtSupplier(mapping.supplier, row),
    mapping.ageRating === undefined ? null : doubtAgeRating(mapping.ageRating, row, mapping.ageRatings),
  ]
  return doubts.filter((doubt) => doubt !== null)
}

function doubtTitle(title: unknown): Doubt | null {
  // Decoders leave U+FFFD for a character in another encoding.
  if (typeof title !== 'string' || !title.includes('\uFFFD')) return null
  return { type: 'garbled_title', message: `${showCell(title)} lost characters in decoding` }
}

function doubtReleaseDate(column: string, row: Row, today: Date): Doubt | null {
  const cell = row[column]
  if (isBlank(cell)) return { type: 'missing_release_date', message: `No ${column}`, details: { column } }
  const date = readDate(cell)
  const details = { column, value: showCell(cell) }
  if (date === null) {
    return {
      type: 'unreadable_release_date',
      message: `${column} cannot be read: ${showCell(cell)}`,
      details,
    }
  }
  const latest = new Date(today)
  latest.setUTCFullYear(latest.getUTCFullYear() + YEARS_AHEAD)
  if (new Date(date) <= latest) return null
  const message = `${column} ${showCell(cell)} reads as ${date}, more than ${YEARS_AHEAD} years ahead`
  return { type: 'release_date_far_ahead', message, details }
}

function doubtAmount(column: string, row: Row): Doubt | null {
  const cell = row[column]
  if (isBlank(cell)) return { type: 'missing_amount', message: `No ${column}`, details: { column } }
  const amount = readNumber(cell)
  const details = { column, value: showCell(cell) }
  if (amount === null) {
    return { type: 'unreadable_amount', message: `${column} is not a number: ${showCell(cell)}`, details }
  }
  if (amount > 0) return null
  const sign = amount < 0 ? 'negative' : 'zero'
  return { type: `${sign}_amount`, message: `${column} is ${sign}: ${showCell(cell)}`, details }
}

function doubtSupplier(column: string, row: Row): Doubt | null {
  if (readText(row[column]) !== null) return null
  return { type: 'missing_supplier', message: `No ${column}`, details: { column } }
}

/** A missing age rating is normal. An unknown one is doubtful. */
function doubtAgeRating(column: string, row: Row, known: string[] | undefined): Doubt | null {
  const cell = row[column]
  if (known === undefined || isBlank(cell) || known.includes(String(cell).trim())) return null
  const details = { column, value: showCell(cell) }
  return {
    type: 'unknown_age_rating',
    message: `${column} is not a known rating: ${showCell(cell)}`,
    details,
  }
}
