import { knownHistory, unpackHistory } from '../jobs/history.ts'
import { type EntryKind, type Job, type JobKey, keptCounts } from '../jobs/job.ts'
import { type EntityCounts, NO_ENTITIES, Tally } from '../jobs/tally.ts'
import { jobFields, logError } from '../log.ts'
import { claimJob } from '../store/claim-job.ts'
import { findEntries } from '../store/find-entries.ts'
import { findJob } from '../store/find-job.ts'
import { findLog } from '../store/job-logs.ts'
import type { Store } from '../store/store.ts'
import type { Journal, Journaled } from './journal.ts'

const PAGE = 1_000
/** A claim fails only if a late write of a dead object lands between reading and claiming the job. That is rare. */
const MAX_CLAIMS = 5

/**
 * Takes over a live job that only D1 has: one imported from another system, or one whose object lost its storage. The
 * claim comes first, so no late write of a dead object can land; the job is journaled last, so a half-adopted job
 * counts as not adopted. Undefined if D1 no longer has the job. Throws if D1 fails.
 */
export async function adoptJob(
  journal: Journal,
  store: Store,
  key: JobKey,
  found: Job,
): Promise<Journaled | undefined> {
  const claimed = await claim(store, key, found)
  if (claimed === undefined) return undefined
  // An interrupted adoption may have left rows behind.
  await journal.empty()
  const kept = keptCounts(claimed)
  const counts = await adoptEntries(journal, store, key, 'error', kept.error, NO_ENTITIES)
  const { keptEntities, entityBytes } = await adoptEntries(
    journal,
    store,
    key,
    'warning',
    kept.warning,
    counts,
  )
  // These count what the journal keeps: an import may not have counted it. The other counts come from D1, because they
  // include entries that were not kept.
  const job: Job = { ...claimed, keptEntities, entityBytes, entryBytes: measureEntries(journal, kept) }
  const recorded = { revision: job.revision, status: job.status, ...kept }
  const log = await findLog(store, key)
  const history = log === undefined ? knownHistory(job) : unpackHistory(log.history)
  const state = { key, job, recorded, history }
  journal.transaction(() => {
    journal.messages.restore(log?.messages ?? [])
    journal.saveJob(state)
    journal.groups.countIfDue(kept, [])
  })
  return { ...state, recent: journal.recent(job) }
}

/** Claims the job and returns it under its new epoch; undefined if D1 no longer has it. */
async function claim(store: Store, key: JobKey, found: Job): Promise<Job | undefined> {
  let job: Job | undefined = found
  for (let attempt = 0; attempt < MAX_CLAIMS && job !== undefined; attempt++) {
    if (await claimJob(store, key, job)) return { ...job, epoch: job.epoch + 1 }
    job = await findJob(store, key)
  }
  if (job !== undefined) throw new Error(`the job changed ${MAX_CLAIMS} times while being claimed`)
  return undefined
}

/** Copies the entries of one kind from D1 into the journal. Returns `counts` with their entities added. */
async function adoptEntries(
  journal: Journal,
  store: Store,
  key: JobKey,
  kind: EntryKind,
  kept: number,
  counts: EntityCounts,
): Promise<EntityCounts> {
  let counted = counts
  for (let after = 0; after < kept; ) {
    const page = { kind, after, limit: PAGE, errorType: null }
    const { entries, reached } = await findEntries(store, key, page, kept)
    const tally = new Tally(counted, (type, entityKey) => journal.entries.stateOf(type, entityKey))
    for (const { text } of entries) tally.add(kind, entityOf(text))
    journal.transaction(() => journal.entries.append(entries, tally.changes))
    counted = tally.counts
    if (reached - after > entries.length) {
      const error = new Error(`D1 lacks ${reached - after - entries.length} entries`)
      logError('entries_lost', { ...jobFields(key), kind, after, reached }, error)
    }
    after = reached
  }
  return counted
}

function measureEntries(journal: Journal, kept: Record<EntryKind, number>): number {
  const bytesOf = (kind: EntryKind) => journal.entries.measure(kind, { after: 0, last: kept[kind] }).bytes
  return bytesOf('error') + bytesOf('warning')
}

function entityOf(text: string): { entityType: string; entityKey: string } {
  const { entity_type, entity_key } = JSON.parse(text) as { entity_type: string; entity_key: string }
  return { entityType: entity_type, entityKey: entity_key }
}
