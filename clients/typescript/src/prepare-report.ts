import type { Report, ReportedEntry } from './job.ts'
import { writeEntry } from './wire.ts'

/** Everything in a report but its entries and the mark that ends the job. */
export type Fields = Pick<
  Report,
  | 'markStarted'
  | 'totalItems'
  | 'processedItems'
  | 'processedDelta'
  | 'counters'
  | 'metadataPatch'
  | 'stage'
  | 'message'
>

/** An entry as it will be sent: what the caller does to the object afterward changes nothing. */
export interface EntryText {
  json: string
  bytes: number
}

export type Mark = { completed: true } | { failed: string }

/** A report that can be merged with others, and sent. */
export interface PreparedReport {
  fields: Fields
  errors: EntryText[]
  warnings: EntryText[]
  mark?: Mark
}

/** Bytes of the JSON of a report's fields and entries. The API takes 1 MiB; the rest is for the text of a failure. */
export const MAX_REPORT_BYTES = 900_000
/** Characters of the name of a counter that the API takes. */
export const MAX_COUNTER_NAME = 64
/** Characters of the text of a failure that the API takes. */
const MAX_FAILURE = 16_384

/**
 * Throws a TypeError if the report cannot be sent or merged with others: a count that is not a whole number, a stage that is not
 * text, details that are not JSON. Other faults are left to the API, which says where they are.
 */
export function prepareReport(report: Report): PreparedReport {
  checkObject('A report', report)
  const { error, warning, errors = [], warnings = [], markCompleted, markFailed, ...given } = report
  // A caller without types may pass undefined or null, which the API takes for absent.
  const fields = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
  ) as Fields
  for (const name of ['totalItems', 'processedItems', 'processedDelta'] as const)
    if (fields[name] !== undefined) checkCount(name, fields[name])
  for (const name of ['stage', 'message'] as const)
    if (fields[name] !== undefined) fields[name] = JSON.parse(toText(checkText(name, fields[name])).json)
  for (const name of ['counters', 'metadataPatch'] as const)
    if (fields[name] !== undefined) checkObject(name, fields[name])
  for (const [name, count] of Object.entries(fields.counters ?? {})) {
    if (name === '' || [...name].length > MAX_COUNTER_NAME)
      throw new TypeError(`The name of a counter should have 1 to ${MAX_COUNTER_NAME} characters: ${name}`)
    checkCount(`counters.${name}`, count)
  }
  if (fields.counters) fields.counters = { ...fields.counters }
  if (fields.metadataPatch) fields.metadataPatch = JSON.parse(toText(fields.metadataPatch).json)
  const prepared: PreparedReport = {
    fields,
    errors: [...(error ? [error] : []), ...errors].map(toEntryText),
    warnings: [...(warning ? [warning] : []), ...warnings].map(toEntryText),
  }
  // Failing wins over completing, as in the API.
  if (markFailed !== undefined && markFailed !== null) {
    prepared.mark = { failed: shorten(checkText('markFailed', markFailed)) }
  } else if (markCompleted) prepared.mark = { completed: true }
  return prepared
}

function checkCount(name: string, value: unknown): void {
  if (Number.isInteger(value) && (value as number) >= 0) return
  throw new TypeError(`${name} should be a whole number, 0 or more, not ${String(value)}`)
}

function checkText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${name} should be text, not ${typeof value}`)
  return value
}

function checkObject(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  const what = Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value
  throw new TypeError(`${name} should be an object, not ${what}`)
}

function toEntryText(entry: ReportedEntry): EntryText {
  checkObject('An error or a warning', entry)
  return toText(writeEntry(entry))
}

/** JSON.stringify throws a TypeError for what is not JSON. */
function toText(value: unknown): EntryText {
  let json = JSON.stringify(value)
  // Half a character, as `slice` leaves it of an emoji. The API would refuse the text, and the entry with it.
  if (/\\ud[89a-f]/.test(json)) json = JSON.stringify(value, (_, part) => part?.toWellFormed?.() ?? part)
  const bytes = utf8Bytes(json)
  if (bytes > MAX_REPORT_BYTES) throw new TypeError(`${bytes} bytes are more than one report can hold`)
  return { json, bytes }
}

export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length
}

/** A job must not stay open because the reason of its failure is too long, or cut through a character. */
function shorten(text: string): string {
  return [...text.slice(0, 2 * MAX_FAILURE)].slice(0, MAX_FAILURE).join('').toWellFormed()
}
