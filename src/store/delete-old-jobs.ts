import { and, asc, eq, lt, notInArray, sql } from 'drizzle-orm'
import { idempotentReplies, jobEntries, jobEntryGroups, jobLogs, jobs } from './schema.ts'
import type { Store } from './store.ts'

/** The most that one step deletes, so no statement blocks D1 for long. */
const JOBS_PER_STEP = 100
const ENTRIES_PER_STEP = 2_000

interface OldJob {
  organizationId: string
  jobId: string
  entries: number
}

/**
 * Deletes the jobs that finished before `before` (ms since the epoch) with everything that belongs to them, oldest
 * first, in at most `steps` steps. The next run takes the rest. Returns the number of jobs deleted. Throws if D1 fails.
 *
 * `findMoving` finds the organizations that are moving. Their jobs stay until they have arrived: a job that is deleted in one
 * database and copied to the other would be counted twice.
 */
export async function deleteOldJobs(
  store: Store,
  before: number,
  steps: number,
  findMoving: () => Promise<string[]> = async () => [],
): Promise<number> {
  let deleted = 0
  for (let step = 0; step < steps; step++) {
    const old = await oldestJobs(store, before, await findMoving())
    const [oldest] = old
    if (oldest === undefined) break
    const isLarge = oldest.entries > ENTRIES_PER_STEP
    if (isLarge && (await deleteSomeEntries(store, oldest)) === ENTRIES_PER_STEP) continue
    const gone = isLarge ? [oldest] : fittingOneStep(old)
    await deleteWhole(store, gone)
    deleted += gone.length
  }
  return deleted
}

function oldestJobs(store: Store, before: number, moving: string[]): Promise<OldJob[]> {
  const entries = sql<number>`${jobs.keptErrors} + ${jobs.keptWarnings}`
  return store
    .select({ organizationId: jobs.organizationId, jobId: jobs.jobId, entries })
    .from(jobs)
    .where(and(lt(jobs.completedAt, before), notInArray(jobs.organizationId, moving)))
    .orderBy(asc(jobs.completedAt))
    .limit(JOBS_PER_STEP)
}

/** Deletes one step's entries of a large job. Returns how many were deleted. */
async function deleteSomeEntries(store: Store, { organizationId, jobId }: OldJob): Promise<number> {
  const ofJob = and(eq(jobEntries.organizationId, organizationId), eq(jobEntries.jobId, jobId))
  const some = store
    .select({ kind: jobEntries.kind, seq: jobEntries.seq })
    .from(jobEntries)
    .where(ofJob)
    .limit(ENTRIES_PER_STEP)
  const { meta } = await store
    .delete(jobEntries)
    .where(and(ofJob, sql`(${jobEntries.kind}, ${jobEntries.seq}) in ${some}`))
  return meta.changes
}

/** The oldest jobs whose entries fit into one step together. */
function fittingOneStep(old: OldJob[]): OldJob[] {
  let entries = 0
  return old.filter((job) => {
    entries += job.entries
    return entries <= ENTRIES_PER_STEP
  })
}

/** All or nothing: if a job went before its entries, no later run would find them. */
async function deleteWhole(store: Store, old: OldJob[]): Promise<void> {
  const keys = sql`select value ->> 0, value ->> 1 from json_each(${JSON.stringify(
    old.map(({ organizationId, jobId }) => [organizationId, jobId]),
  )})`
  const deleteOf = (
    table:
      | typeof jobEntries
      | typeof jobEntryGroups
      | typeof jobLogs
      | typeof idempotentReplies
      | typeof jobs,
  ) => store.delete(table).where(sql`(${table.organizationId}, ${table.jobId}) in (${keys})`)
  await store.batch([
    deleteOf(jobEntries),
    deleteOf(jobEntryGroups),
    deleteOf(jobLogs),
    deleteOf(idempotentReplies),
    deleteOf(jobs),
  ])
}
