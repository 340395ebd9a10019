import { and, eq, lt, sql } from 'drizzle-orm'
import type { Entry, Job, JobKey } from '../jobs/job.ts'
import { jobEntries, jobs } from './schema.ts'
import type { Store } from './store.ts'

/** What one write brings to D1: entries that it lacks and, unless more of them follow, the job itself. */
export interface JobRecord {
  key: JobKey
  job: Job
  entries: Entry[]
  /** More entries of the same revision follow in the next write; the job is written with the last of them. */
  unfinished: boolean
  /** Only what every report changes: no indexed column is named then, which halves the rows written. */
  onlyProgress: boolean
}

/**
 * Brings D1 level with one job's journal: one atomic batch, safe to repeat, fenced by the revision. It lands only where
 * the stored revision is lower, so that a late write of an object that was replaced in the meantime changes nothing.
 * Throws where D1 does.
 */
export async function recordJob(store: Store, record: JobRecord): Promise<void> {
  const { key, job, entries } = record
  if (record.unfinished) {
    await insertEntries(store, key, job, entries)
    return
  }
  if (record.onlyProgress) {
    const update = updateProgress(store, key, job)
    const results =
      entries.length > 0
        ? await store.batch([insertEntries(store, key, job, entries), update])
        : await store.batch([update])
    if (results[results.length - 1]?.meta.changes) return
    // Nothing changed: D1 has a newer revision, or has lost the row. Writing it whole is right in both cases.
  }
  const upsert = upsertJob(store, key, job)
  if (entries.length > 0) await store.batch([insertEntries(store, key, job, entries), upsert])
  else await store.batch([upsert])
}

function updateProgress(store: Store, key: JobKey, job: Job) {
  const { totalItems, processedItems, failedItems, warnedItems, metadata, updatedAt, revision } = job
  const { errorCount, warningCount, keptErrors, keptWarnings, stalledAt, stages, pace } = job
  const { attempts, nextDeliveryAt } = job
  return store
    .update(jobs)
    .set({
      totalItems,
      processedItems,
      failedItems,
      warnedItems,
      errorCount,
      warningCount,
      keptErrors,
      keptWarnings,
      metadata,
      updatedAt,
      stalledAt,
      stages,
      attempts,
      nextDeliveryAt,
      pace,
      revision,
    })
    .where(
      and(
        eq(jobs.organizationId, key.organizationId),
        eq(jobs.jobId, key.jobId),
        lt(jobs.revision, revision),
      ),
    )
}

function upsertJob(store: Store, key: JobKey, job: Job) {
  return store
    .insert(jobs)
    .values({ organizationId: key.organizationId, ...job })
    .onConflictDoUpdate({
      target: [jobs.organizationId, jobs.jobId],
      set: job,
      setWhere: lt(jobs.revision, job.revision),
    })
}

/** Many rows by one statement and one parameter: D1 bounds the parameters of a statement at a hundred. */
function insertEntries(store: Store, key: JobKey, job: Job, entries: Entry[]) {
  const rows = sql`
    select ${key.organizationId}, ${key.jobId}, value ->> 'kind', value ->> 'seq', value ->> 'text'
    from json_each(${JSON.stringify(entries)})
    where not exists (select 1 from ${jobs} where ${jobs.organizationId} = ${key.organizationId}
      and ${jobs.jobId} = ${key.jobId} and ${jobs.revision} >= ${job.revision})`
  return store.insert(jobEntries).select(rows).onConflictDoNothing()
}
