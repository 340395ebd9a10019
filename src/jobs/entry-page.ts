import type { Entry, EntryKind } from './job.ts'
import { MAX_SCANNED } from './limits.ts'

/** Which entries to read: at most `limit` of one kind whose `seq` is greater than `after`, oldest first. */
export interface EntryPage {
  kind: EntryKind
  after: number
  limit: number
  /** Only entries of this type; null: of any. */
  errorType: string | null
}

/** A page as found. Even if it has fewer entries than asked for, or none, more may follow. */
export interface FoundEntries {
  entries: Entry[]
  /** The last `seq` scanned: the next page starts after it. */
  reached: number
}

/** How many entries to scan for a page, whatever their type. This bounds its cost. */
export function scanLimit({ limit, errorType }: EntryPage): number {
  return errorType === null ? limit : MAX_SCANNED
}

/** The number of entries with the same error type. */
export interface EntryGroup {
  errorType: string
  count: number
}
