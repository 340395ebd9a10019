import type { EntryText, Fields, Mark, PreparedReport } from './prepare-report.ts'
import { asList, REPORT_FIELDS } from './wire.ts'

/** A report that is being sent. It stays as it is until it is acknowledged or refused: its key stands for its content. */
export interface Outgoing extends PreparedReport {
  key: string
  /** The segment that it is the next part of. */
  segment: number
}

/** The JSON of its body. */
export function writeOutgoing({ fields, errors, warnings, mark }: PreparedReport): string {
  const marks = writeMark(mark)
  const members = Object.entries({ ...fields, ...marks })
    .filter(([name]) => Object.hasOwn(REPORT_FIELDS, name))
    .map(([name, value]) => `"${wireName(name)}":${JSON.stringify(value)}`)
  if (errors.length > 0) members.push(`"errors":[${errors.map(({ json }) => json).join()}]`)
  if (warnings.length > 0) members.push(`"warnings":[${warnings.map(({ json }) => json).join()}]`)
  return `{${members.join()}}`
}

function writeMark(mark: Mark | undefined): { markCompleted?: boolean; markFailed?: string } {
  if (mark === undefined) return {}
  return 'failed' in mark ? { markFailed: mark.failed } : { markCompleted: true }
}

/** The fields by which a report may break a bound of the job's metadata. The API does not say which of them. */
const METADATA: (keyof Fields)[] = ['metadataPatch', 'stage', 'message']

/**
 * Splits a report that the API found invalid into the parts that it named in `detail`, and the rest. One bad entry must not take
 * hundreds of others, and the counts, with it. `rest` is undefined if nothing is left, or if nothing was named.
 */
export function splitRefused(
  sent: PreparedReport,
  detail: unknown,
): { refused: PreparedReport; rest?: PreparedReport } {
  const named = { fields: new Set<string>(), errors: new Set<unknown>(), warnings: new Set<unknown>() }
  for (const { loc } of asList(detail)) {
    const [, field, index]: unknown[] = Array.isArray(loc) ? loc : []
    if ((field === 'errors' || field === 'warnings') && typeof index === 'number') named[field].add(index)
    else if (typeof field === 'string') named.fields.add(field)
    else for (const name of METADATA) named.fields.add(wireName(name))
  }
  const isNamedField = (name: string) => named.fields.has(wireName(name))
  const isNamedMark = named.fields.has('mark_failed') || named.fields.has('mark_completed')
  const pick = (isRefused: boolean): PreparedReport => ({
    fields: Object.fromEntries(
      Object.entries(sent.fields).filter(([name]) => isNamedField(name) === isRefused),
    ) as Fields,
    errors: sent.errors.filter((_, index) => named.errors.has(index) === isRefused),
    warnings: sent.warnings.filter((_, index) => named.warnings.has(index) === isRefused),
    ...(sent.mark && isNamedMark === isRefused && { mark: sent.mark }),
  })
  const [refused, rest] = [pick(true), pick(false)]
  if (isEmpty(refused) || isEmpty(rest)) return { refused: sent }
  return { refused, rest }
}

function wireName(field: string): string {
  return REPORT_FIELDS[field as keyof typeof REPORT_FIELDS]
}

export function isEmpty({ fields, errors, warnings, mark }: PreparedReport): boolean {
  return Object.keys(fields).length + errors.length + warnings.length === 0 && mark === undefined
}

/** The bytes of the entries. */
export function entryBytes(entries: EntryText[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0)
}
