import type { Entry, EntryKind } from './job.ts'

/** How many of the newest entries of each kind a job is shown with, … */
export const RECENT_ENTRIES = 100
/** … and how many characters they have together: a reply of the object may weigh 32 MB. */
const RECENT_CHARACTERS = 2_000_000

/** The newest of the entries, as many as a job is shown with and one at least; both oldest first. */
export function recentOf(texts: string[]): string[] {
  let characters = 0
  const count = texts
    .slice(-RECENT_ENTRIES)
    .reverse()
    .findIndex(({ length }, index) => {
      characters += length
      return characters > RECENT_CHARACTERS && index > 0
    })
  return texts.slice(-(count === -1 ? RECENT_ENTRIES : count))
}

/** The recent entries of one kind once `appended` came: the same array where none of them is of that kind. */
export function withAppended(recent: string[], appended: Entry[], kind: EntryKind): string[] {
  const added = appended.filter((entry) => entry.kind === kind).map(({ text }) => text)
  return added.length === 0 ? recent : recentOf([...recent, ...added])
}
