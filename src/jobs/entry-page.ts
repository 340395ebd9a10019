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

/** The entries with the same error type: how many, and the `seq` of the first and the last of them. */
export interface EntryGroup {
  errorType: string
  count: number
  firstSeq: number
  lastSeq: number
}

/** A group as a reply shows it. What comes from its first or last entry is null if that entry has been lost. */
export interface ShownGroup {
  errorType: string
  count: number
  /** The `timestamp` of its first and its last entry. */
  firstSeen: string | null
  lastSeen: string | null
  /** From its last entry, each cut to `MAX_SAMPLE_LENGTH`. */
  entityType: string | null
  entityKey: string | null
  message: string | null
}
