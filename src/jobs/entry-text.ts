import type { ReportedEntry } from './job.ts'

/**
 * An entry as published JSON (JobErrorResponse of the contract). It is serialized once, when the entry is appended, and
 * copied as text to the journal, to D1 and into every reply: replies cost no more for a job with many entries. `now` is
 * in ms since the epoch.
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
