import type { Entry, EntryKind } from './job.ts'
import { MAX_SCANNED } from './limits.ts'

/** Which entries are asked for: those of a kind behind the `after`th, oldest first, at most `limit`. */
export interface EntryPage {
  kind: EntryKind
  after: number
  limit: number
  /** Only those of this type; null: of any. */
  errorType: string | null
}

/** What came of a page. It may hold fewer entries than asked for, or none, and not be the last. */
export interface FoundEntries {
  entries: Entry[]
  /** The last place that was looked at: the next page goes on behind it. */
  reached: number
}

/** How many entries are looked at for a page, whatever their type: a bound on what it costs. */
export function scanLimit({ limit, errorType }: EntryPage): number {
  return errorType === null ? limit : MAX_SCANNED
}

/** How many entries have the same error type. */
export interface EntryGroup {
  errorType: string
  count: number
}
