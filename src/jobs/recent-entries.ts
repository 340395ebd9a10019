import { SHOWN_ENTRIES, SHOWN_ENTRY_BYTES } from './limits.ts'

/** An entry as published JSON, and its bytes in UTF-8. */
export interface SizedEntry {
  text: string
  bytes: number
}

/** The newest entries of a job, oldest first: as many of each kind as a reply could show without the other kind. */
export interface RecentEntries {
  errors: SizedEntry[]
  warnings: SizedEntry[]
}

/** The newest entries that fit into a reply without entries of the other kind. Both lists are oldest first. */
export function newestFitting(entries: SizedEntry[]): SizedEntry[] {
  return fitting(entries.slice(-SHOWN_ENTRIES), SHOWN_ENTRY_BYTES)
}

/** The newest entries after appending some; the same array if there are none to append. */
export function withAppended(recent: SizedEntry[], appended: SizedEntry[]): SizedEntry[] {
  return appended.length === 0 ? recent : newestFitting([...recent, ...appended])
}

/**
 * The entries that a reply shows, oldest first. Each kind may use half of the bytes, plus what the other leaves of its
 * half.
 */
export function shownTexts({ errors, warnings }: RecentEntries): { errors: string[]; warnings: string[] } {
  const half = SHOWN_ENTRY_BYTES / 2
  const left = (entries: SizedEntry[]) => Math.max(0, half - bytesOf(entries))
  return {
    errors: fitting(errors, half + left(warnings)).map(({ text }) => text),
    warnings: fitting(warnings, half + left(errors)).map(({ text }) => text),
  }
}

function fitting(entries: SizedEntry[], most: number): SizedEntry[] {
  let bytes = 0
  const oldestLeftOut = entries.findLastIndex((entry) => {
    bytes += entry.bytes
    return bytes > most
  })
  return oldestLeftOut === -1 ? entries : entries.slice(oldestLeftOut + 1)
}

function bytesOf(entries: SizedEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0)
}
