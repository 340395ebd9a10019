import type { EntryKind, Job, JobKey } from '../jobs/job.ts'
import { type EntityCounts, Tally } from '../jobs/tally.ts'
import { jobFields, logError } from '../log.ts'
import { claimJob } from '../store/claim-job.ts'
import { findEntries } from '../store/find-entries.ts'
import { findJob } from '../store/find-job.ts'
import type { Store } from '../store/store.ts'
import type { Journal, Journaled } from './journal.ts'
import { keptCounts } from './live-job.ts'

const PAGE = 1_000
/** The job moves on between its reading and its claim only while late writes of a dead object land: seldom, and not for long. */
const CLAIMS = 5

/**
 * Takes over a live job that only D1 has: one brought in from another system, or whose object's storage was lost. It is
 * claimed first, so that nothing of a dead object lands later; it is journaled last, so that one half adopted counts as
 * not adopted. Throws where D1 does.
 */
export async function adoptJob(
  journal: Journal,
  store: Store,
  key: JobKey,
  found: Job,
): Promise<Journaled | undefined> {
  const claimed = await claim(store, key, found)
  if (claimed === undefined) return undefined
  // What is there was left by a take-over that was broken off.
  await journal.empty()
  const kept = keptCounts(claimed)
  const counts = { failedItems: 0, warnedItems: 0, keptEntities: 0, entityBytes: 0, entitiesNotKept: 0 }
  // Errors before warnings: an entity that failed stays so, whatever warnings it has.
  await adoptEntries(journal, store, key, 'error', kept.error, counts)
  await adoptEntries(journal, store, key, 'warning', kept.warning, counts)
  // Beyond the bound, D1 knows better how many there were.
  const { keptEntities, entityBytes } = counts
  const job: Job = { ...claimed, keptEntities, entityBytes }
  const recorded = { revision: job.revision, status: job.status, ...kept }
  journal.transaction(() => {
    journal.saveRecorded(recorded)
    journal.saveJob(key, job)
    journal.groups.countIfDue(kept)
  })
  return { key, job, recorded, recent: journal.recent(job) }
}

/** The job under the epoch that it is now claimed by; undefined where D1 has it no more. */
async function claim(store: Store, key: JobKey, found: Job): Promise<Job | undefined> {
  let job: Job | undefined = found
  for (let attempt = 0; attempt < CLAIMS && job !== undefined; attempt++) {
    if (await claimJob(store, key, job)) return { ...job, epoch: job.epoch + 1 }
    job = await findJob(store, key)
  }
  if (job !== undefined) throw new Error(`the job moved on ${CLAIMS} times while it was claimed`)
  return undefined
}

async function adoptEntries(
  journal: Journal,
  store: Store,
  key: JobKey,
  kind: EntryKind,
  kept: number,
  counts: EntityCounts,
): Promise<void> {
  for (let after = 0; after < kept; ) {
    const page = { kind, after, limit: PAGE, errorType: null }
    const { entries, reached } = await findEntries(store, key, page, kept)
    const tally = new Tally(counts, (type, entityKey) => journal.entries.stateOf(type, entityKey))
    for (const { text } of entries) tally.add(kind, entityOf(text))
    journal.transaction(() => journal.entries.append(entries, tally.changes))
    Object.assign(counts, tally.counts)
    if (reached - after > entries.length) {
      const error = new Error(`D1 lacks ${reached - after - entries.length} entries`)
      logError('entries_lost', { ...jobFields(key), kind, after, reached }, error)
    }
    after = reached
  }
}

function entityOf(text: string): { entityType: string; entityKey: string } {
  const { entity_type, entity_key } = JSON.parse(text) as { entity_type: string; entity_key: string }
  return { entityType: entity_type, entityKey: entity_key }
}
