import type { EntryGroup } from '../jobs/entry-page.ts'
import type { EntryKind, JobKey } from '../jobs/job.ts'
import { MAX_ERROR_TYPE_BYTES, MAX_ERROR_TYPES } from '../jobs/limits.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'
import { countErrorTypes, dropEntryGroups, type RankedGroup, saveEntryGroups } from '../store/entry-groups.ts'
import type { Store } from '../store/store.ts'

/** Bounds of one statement: the entries that it reads, and the bytes of JSON that it carries. */
const ENTRIES_AT_ONCE = 1_000
const BYTES_AT_ONCE = 500_000

/**
 * Counts an archived job's entries by error type and stores the counts in D1, where every later reader finds them. Safe
 * to repeat. Throws if D1 fails.
 */
export async function countGroups(store: Store, key: JobKey, kept: Record<EntryKind, number>): Promise<void> {
  const last = { error: 0, warning: 0 }
  for (const kind of ['error', 'warning'] as const) {
    const counts = new Map<string, EntryGroup>()
    let room = MAX_ERROR_TYPE_BYTES
    for (let after = 0; after < kept[kind]; after += ENTRIES_AT_ONCE) {
      const range = { after, last: Math.min(after + ENTRIES_AT_ONCE, kept[kind]) }
      for (const found of await countErrorTypes(store, key, kind, range)) {
        const { errorType, count, lastSeq } = found
        const known = counts.get(errorType)
        const bytes = utf8Bytes(errorType)
        if (known === undefined && (counts.size === MAX_ERROR_TYPES || bytes > room)) continue
        if (known === undefined) room -= bytes
        counts.set(errorType, known === undefined ? found : { ...known, count: known.count + count, lastSeq })
      }
    }
    last[kind] = counts.size
    for (const groups of pagesOf(rank(kind, [...counts.values()]))) await saveEntryGroups(store, key, groups)
  }
  // An earlier version may have counted others.
  await dropEntryGroups(store, key, last)
}

function rank(kind: EntryKind, groups: EntryGroup[]): RankedGroup[] {
  return groups
    .toSorted((a, b) => b.count - a.count || (a.errorType < b.errorType ? -1 : 1))
    .map((group, at) => ({ ...group, kind, rank: at + 1 }))
}

function* pagesOf(groups: RankedGroup[]): Generator<RankedGroup[]> {
  let page: RankedGroup[] = []
  let bytes = 0
  for (const group of groups) {
    const added = utf8Bytes(JSON.stringify(group))
    if (bytes + added > BYTES_AT_ONCE && page.length > 0) {
      yield page
      page = []
      bytes = 0
    }
    page.push(group)
    bytes += added
  }
  if (page.length > 0) yield page
}
