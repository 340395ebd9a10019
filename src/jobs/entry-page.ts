import type { Entry, EntryKind, Job } from './job.ts'
import { MAX_PAGE_BYTES } from './limits.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/** How many entries are looked at for one page of a single error type: a bound on what such a page costs. */
const ENTRIES_LOOKED_AT = 10_000

/** Which entries are asked for: those of a kind behind the `after`th, oldest first, at most `limit`. */
export interface EntryPage {
  kind: EntryKind
  after: number
  limit: number
  /** Only those of this type, among the next 10,000; null: of any. */
  errorType: string | null
}

/** How many entries have the same error type. */
export interface EntryGroup {
  errorType: string
  count: number
}

/** The last place that is looked at for a page. */
export function lastLookedAt({ after, errorType }: EntryPage): number {
  return errorType === null ? Number.MAX_SAFE_INTEGER : after + ENTRIES_LOOKED_AT
}

/** The place to go on behind, once `found` came of a page; null where the job has no more to look at. */
export function nextPlace(page: EntryPage, found: Entry[], job: Job): number | null {
  const kept = page.kind === 'error' ? job.keptErrors : job.keptWarnings
  const bytes = found.reduce((sum, { text }) => sum + utf8Bytes(text), 0)
  const isFull = found.length === page.limit || bytes >= MAX_PAGE_BYTES
  const reached = isFull ? (found.at(-1)?.seq ?? kept) : lastLookedAt(page)
  return reached < kept ? reached : null
}
