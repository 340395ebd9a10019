import { packHistory } from '../jobs/history.ts'
import { type EntryKind, keptCounts } from '../jobs/job.ts'
import { REPLY_WINDOW } from '../jobs/limits.ts'
import { dropEntryGroups, saveEntryGroups, sumEntryGroups } from '../store/entry-groups.ts'
import { measureEntries } from '../store/find-entries.ts'
import { findRecorded, isSameState } from '../store/find-job.ts'
import { countReplies, saveReplies } from '../store/idempotent-replies.ts'
import { saveLog } from '../store/job-logs.ts'
import type { Store } from '../store/store.ts'
import { ArchivedJob } from './archived-job.ts'
import type { Home } from './home.ts'
import type { JobHolder } from './job-holder.ts'
import type { Journal } from './journal.ts'
import type { LiveJob } from './live-job.ts'

/** The most that one statement compares or carries, so a large job neither blocks D1 nor fills its object's memory. */
const ENTRIES_AT_ONCE = 5_000
const GROUP_BYTES_AT_ONCE = 500_000
const REPLY_BYTES_AT_ONCE = 500_000

/**
 * Empties the journal of a finished job once D1 has all of it: compared, not assumed. False if D1 lacks something, or
 * if a request came in meanwhile; the recorder then sends what is missing, and the next alarm tries again. Throws if D1
 * fails.
 *
 * `retention` is how long D1 keeps the job, in ms; 0: forever.
 */
export async function archiveJob(
  journal: Journal,
  home: Home,
  holder: JobHolder,
  live: LiveJob,
  retention: number,
): Promise<boolean> {
  const { key, job, recent } = live
  const { store } = home
  const stored = await findRecorded(store, key)
  if (stored === undefined || !isSameState(stored, job)) {
    live.markLost('everything')
    return false
  }
  for (const kind of ['error', 'warning'] as const) {
    const lostAfter = await findLostEntries(journal, store, live, kind)
    if (lostAfter !== undefined) {
      live.markLost({ [kind]: lostAfter })
      return false
    }
  }
  if (!(await copyGroups(journal, store, live))) return false
  if (!(await copyLog(store, live))) return false
  const { total } = journal.replies
  if (!(await copyReplies(journal, store, live))) return false

  // No `await` between this check and emptying the journal: no request can slip in.
  if (live.job !== job || live.isBehind || journal.replies.total !== total) return false
  const isKeyed = job.createFingerprint !== null
  journal.clear(isKeyed ? (retention === 0 ? null : Date.now() + retention) : undefined)
  holder.holdArchived(new ArchivedJob(home, key, job, recent))
  if (!isKeyed) await journal.empty()
  return true
}

/** The `seq` after which the entries in D1 differ from the journal's; undefined if they are the same. */
async function findLostEntries(
  journal: Journal,
  store: Store,
  { key, job }: LiveJob,
  kind: EntryKind,
): Promise<number | undefined> {
  const kept = keptCounts(job)[kind]
  for (let after = 0; after < kept; after += ENTRIES_AT_ONCE) {
    const range = { after, last: Math.min(after + ENTRIES_AT_ONCE, kept) }
    const here = journal.entries.measure(kind, range)
    const there = await measureEntries(store, key, kind, range)
    if (here.count !== there.count || here.bytes !== there.bytes) return after
  }
  return undefined
}

/** Copies the counts by error type to D1. False if D1 then has others. */
async function copyGroups(journal: Journal, store: Store, { key, job }: LiveJob): Promise<boolean> {
  const last = { error: 0, warning: 0 }
  const moved = { groups: 0, entries: 0 }
  for (;;) {
    const groups = journal.transaction(() =>
      journal.groups.ranked(keptCounts(job), moved.groups, GROUP_BYTES_AT_ONCE),
    )
    if (groups.length === 0) break
    await saveEntryGroups(store, key, groups)
    for (const { kind, rank } of groups) last[kind] = rank
    moved.groups += groups.length
    moved.entries += groups.reduce((sum, { count }) => sum + count, 0)
  }
  await dropEntryGroups(store, key, last)
  const stored = await sumEntryGroups(store, key)
  return stored.groups === moved.groups && stored.entries === moved.entries
}

/** Copies the messages and the history to D1. False if D1 then has others. */
async function copyLog(store: Store, live: LiveJob): Promise<boolean> {
  const log = { messages: await live.messages(), history: packHistory(await live.history()) }
  return JSON.stringify(await saveLog(store, live.key, log)) === JSON.stringify(log)
}

/** Copies the replies that a repeat may still ask for to D1. False if D1 then lacks some. */
async function copyReplies(journal: Journal, store: Store, { key }: LiveJob): Promise<boolean> {
  const since = Date.now() - REPLY_WINDOW
  const kept = journal.replies.count(since)
  for (let from: number | null = 0; from !== null; ) {
    const { replies, next } = journal.replies.page(since, from, REPLY_BYTES_AT_ONCE)
    if (replies.length > 0) await saveReplies(store, key, replies)
    from = next
  }
  // D1 may have more: an earlier attempt copied replies that the journal has since dropped.
  return (await countReplies(store, key, since)) >= kept
}
