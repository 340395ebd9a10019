import type { ReportedEntry } from './apply-report.ts'

/**
 * An entry as JSON, in the form in which it is published (JobErrorResponse of the contract). It is made once, when the
 * entry is appended, and carried as text from there: to the journal, to D1 and into every reply. A job with many entries
 * so costs no more than one with few to answer for. `now` is milliseconds since the epoch.
 */
export function entryText(entry: ReportedEntry, now: number): string {
  return JSON.stringify({
    entity_key: entry.entityKey,
    entity_type: entry.entityType,
    error_type: entry.errorType,
    message: entry.message,
    timestamp: new Date(now).toISOString(),
    step: entry.step,
    details: entry.details,
  })
}
