import { and, asc, eq, lt, sql } from 'drizzle-orm'
import { idempotentReplies, jobEntries, jobEntryGroups, jobs } from './schema.ts'
import type { Store } from './store.ts'

/** What one step deletes at most, so that no statement keeps D1 from other work for long. */
const JOBS_A_STEP = 100
const ENTRIES_A_STEP = 2_000

interface OldJob {
  organizationId: string
  jobId: string
  entries: number
}

/**
 * Deletes the jobs that were finished before `before` (ms since the epoch), oldest first, with all that belongs to them,
 * in at most `steps` steps; what is left is for the next run. Returns how many jobs went. Throws where D1 does.
 */
export async function deleteOldJobs(store: Store, before: number, steps: number): Promise<number> {
  let deleted = 0
  for (let step = 0; step < steps; step++) {
    const old = await oldestJobs(store, before)
    const [oldest] = old
    if (oldest === undefined) break
    const isLarge = oldest.entries > ENTRIES_A_STEP
    if (isLarge && (await deleteSomeEntries(store, oldest)) === ENTRIES_A_STEP) continue
    const gone = isLarge ? [oldest] : untilEnough(old)
    await deleteWhole(store, gone)
    deleted += gone.length
  }
  return deleted
}

function oldestJobs(store: Store, before: number): Promise<OldJob[]> {
  const entries = sql<number>`${jobs.keptErrors} + ${jobs.keptWarnings}`
  return store
    .select({ organizationId: jobs.organizationId, jobId: jobs.jobId, entries })
    .from(jobs)
    .where(lt(jobs.completedAt, before))
    .orderBy(asc(jobs.completedAt))
    .limit(JOBS_A_STEP)
}

/** Deletes a step's worth of the entries of a large job; returns how many there were. */
async function deleteSomeEntries(store: Store, { organizationId, jobId }: OldJob): Promise<number> {
  const ofJob = and(eq(jobEntries.organizationId, organizationId), eq(jobEntries.jobId, jobId))
  const some = store
    .select({ kind: jobEntries.kind, seq: jobEntries.seq })
    .from(jobEntries)
    .where(ofJob)
    .limit(ENTRIES_A_STEP)
  const { meta } = await store
    .delete(jobEntries)
    .where(and(ofJob, sql`(${jobEntries.kind}, ${jobEntries.seq}) in ${some}`))
  return meta.changes
}

/** As many of the oldest jobs as have a step's worth of entries together. */
function untilEnough(old: OldJob[]): OldJob[] {
  let entries = 0
  return old.filter((job) => {
    entries += job.entries
    return entries <= ENTRIES_A_STEP
  })
}

/** All or nothing: were a job to go before its entries, no later run would find them. */
async function deleteWhole(store: Store, old: OldJob[]): Promise<void> {
  const keys = sql`select value ->> 0, value ->> 1 from json_each(${JSON.stringify(
    old.map(({ organizationId, jobId }) => [organizationId, jobId]),
  )})`
  const deleteOf = (
    table: typeof jobEntries | typeof jobEntryGroups | typeof idempotentReplies | typeof jobs,
  ) => store.delete(table).where(sql`(${table.organizationId}, ${table.jobId}) in (${keys})`)
  await store.batch([
    deleteOf(jobEntries),
    deleteOf(jobEntryGroups),
    deleteOf(idempotentReplies),
    deleteOf(jobs),
  ])
}
