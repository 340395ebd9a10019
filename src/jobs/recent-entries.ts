import { SHOWN_ENTRIES, SHOWN_ENTRY_BYTES } from './limits.ts'

/** An entry as it is published, and the bytes that it takes. */
export interface SizedEntry {
  text: string
  bytes: number
}

/** The newest entries of a job, oldest first: of each kind as many as a reply could show. */
export interface RecentEntries {
  errors: SizedEntry[]
  warnings: SizedEntry[]
}

/** The newest of the entries that a reply has room for, if the other kind needed none. Both oldest first. */
export function newestFitting(entries: SizedEntry[]): SizedEntry[] {
  return fitting(entries.slice(-SHOWN_ENTRIES), SHOWN_ENTRY_BYTES)
}

/** The newest entries after some more were appended: the same array where none were. */
export function withAppended(recent: SizedEntry[], appended: SizedEntry[]): SizedEntry[] {
  return appended.length === 0 ? recent : newestFitting([...recent, ...appended])
}

/**
 * The texts that one reply shows of both kinds, oldest first. Each kind may take half of the room, and what the other
 * leaves of its half.
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
