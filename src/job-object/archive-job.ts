import type { EntryKind } from '../jobs/job.ts'
import { REPLY_WINDOW } from '../jobs/limits.ts'
import { countEntryGroups, saveEntryGroups } from '../store/entry-groups.ts'
import { weighEntries } from '../store/find-entries.ts'
import { findRecorded } from '../store/find-job.ts'
import { countReplies, saveReplies } from '../store/idempotent-replies.ts'
import type { Store } from '../store/store.ts'
import { ArchivedJob } from './archived-job.ts'
import type { Journal } from './journal.ts'
import { keptOf, type LiveJob } from './live-job.ts'

/** What one statement compares or carries, so that no job keeps D1, or the memory of its object, for long. */
const ENTRIES_AT_ONCE = 5_000
const GROUPS_AT_ONCE = 200
const REPLY_BYTES_AT_ONCE = 500_000

/**
 * Empties the journal of a finished job that D1 has whole: compared, not assumed. False where D1 lacked something, or a
 * request came meanwhile; D1 then gets what it lacks, and this is tried again later. Throws where D1 does.
 *
 * `archivedUntil`: when D1 will have deleted the job, in ms since the epoch; null: never. `hold` takes the job over before
 * its journal is emptied.
 */
export async function archiveJob(
  journal: Journal,
  store: Store,
  live: LiveJob,
  archivedUntil: number | null,
  hold: (archived: ArchivedJob) => void,
): Promise<boolean> {
  const { key, job, recent } = live
  const stored = await findRecorded(store, key)
  if (stored?.epoch !== job.epoch || stored.revision !== job.revision || stored.status !== job.status) {
    live.noteLost('everything')
    return false
  }
  for (const kind of ['error', 'warning'] as const) {
    const lostAfter = await findLostEntries(journal, store, live, kind)
    if (lostAfter !== undefined) {
      live.noteLost({ [kind]: lostAfter })
      return false
    }
  }
  if (!(await moveGroups(journal, store, live))) return false
  const { given } = journal.replies
  if (!(await moveReplies(journal, store, live))) return false

  // There is no `await` from here on: what came meanwhile is seen, and nothing comes between this and the emptying.
  if (live.job !== job || journal.replies.given !== given) return false
  hold(new ArchivedJob(store, key, job, recent))
  if (job.createFingerprint === null) await journal.empty()
  else journal.emptyWithMark(archivedUntil)
  return true
}

/** The place behind which D1 lacks entries that the journal has, or has others; undefined where there is no such place. */
async function findLostEntries(
  journal: Journal,
  store: Store,
  { key, job }: LiveJob,
  kind: EntryKind,
): Promise<number | undefined> {
  const kept = keptOf(job)[kind]
  for (let after = 0; after < kept; after += ENTRIES_AT_ONCE) {
    const range = { after, last: Math.min(after + ENTRIES_AT_ONCE, kept) }
    const here = journal.entries.weigh(kind, range)
    const there = await weighEntries(store, key, kind, range)
    if (here.count !== there.count || here.bytes !== there.bytes) return after
  }
  return undefined
}

async function moveGroups(journal: Journal, store: Store, { key, job }: LiveJob): Promise<boolean> {
  const moved = { groups: 0, entries: 0 }
  for (;;) {
    const groups = journal.transaction(() => journal.groups.ranked(keptOf(job), moved.groups, GROUPS_AT_ONCE))
    if (groups.length > 0) await saveEntryGroups(store, key, groups)
    moved.groups += groups.length
    moved.entries += groups.reduce((sum, { count }) => sum + count, 0)
    if (groups.length < GROUPS_AT_ONCE) break
  }
  const stored = await countEntryGroups(store, key)
  return stored.groups === moved.groups && stored.entries === moved.entries
}

/** Moves what a repeated request may still ask for; whether D1 has it all. */
async function moveReplies(journal: Journal, store: Store, { key }: LiveJob): Promise<boolean> {
  const since = Date.now() - REPLY_WINDOW
  const kept = journal.replies.count(since)
  for (let from: number | null = 0; from !== null; ) {
    const { replies, next } = journal.replies.page(since, from, REPLY_BYTES_AT_ONCE)
    if (replies.length > 0) await saveReplies(store, key, replies)
    from = next
  }
  // It may have more: those that have made room here since an earlier attempt.
  return (await countReplies(store, key, since)) >= kept
}
