import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Entry, Job, JobKey } from '../jobs/job.ts'
import { findRecorded, isSameState, type Recorded } from './find-job.ts'
import { jobEntries, jobs } from './schema.ts'
import type { Store } from './store.ts'

/** One write to D1: entries that it lacks and, unless more of them follow, the job itself. */
export interface JobRecord {
  key: JobKey
  job: Job
  entries: Entry[]
  /** More entries of this revision follow; the job is written with the last of them. */
  unfinished: boolean
  /** The status is unchanged, so no indexed column is written. This halves the rows written. */
  onlyProgress: boolean
}

/** Whether D1 has the record now, or which other state it has instead. */
type Recording = { landed: true } | { landed: false; stored: Recorded }

/**
 * Records a job in D1, in one atomic batch that is safe to repeat. It lands only over a lower epoch, or over a lower
 * revision of the same epoch and creation, so a late write of a replaced object changes nothing. Throws if D1 fails.
 */
export async function recordJob(store: Store, record: JobRecord): Promise<Recording> {
  const { key, job, entries } = record
  if (record.unfinished) {
    await store.batch([upsertEntries(store, key, job, entries)])
    return { landed: true }
  }
  // If the update finds no row, D1 has lost the job or has a newer one: the upsert tells which.
  if (record.onlyProgress && (await writes(store, record, updateProgress(store, key, job))))
    return { landed: true }
  if (await writes(store, record, upsertJob(store, key, job))) return { landed: true }
  const stored = await findRecorded(store, key)
  if (stored === undefined) throw new Error('D1 did not take the job and does not have it')
  // An earlier write of this state timed out here but landed.
  return isSameState(stored, job) ? { landed: true } : { landed: false, stored }
}

type JobWrite = ReturnType<typeof updateProgress> | ReturnType<typeof upsertJob>

/** Writes the entries and the job. True if the job's row changed. */
async function writes(store: Store, { key, job, entries }: JobRecord, write: JobWrite): Promise<boolean> {
  const results =
    entries.length > 0
      ? await store.batch([upsertEntries(store, key, job, entries), write])
      : await store.batch([write])
  return (results.at(-1)?.meta.changes ?? 0) > 0
}

/** Writes what a report may change without changing the status: every field of a job, unless it is named here. */
function updateProgress(store: Store, key: JobKey, job: Job) {
  const {
    jobId: _id,
    jobType: _type,
    status: _status,
    triggeredBy: _trigger,
    createdAt: _created,
    completedAt: _completed,
    ...progress
  } = job
  return store
    .update(jobs)
    .set(progress)
    .where(
      and(
        eq(jobs.organizationId, key.organizationId),
        eq(jobs.jobId, key.jobId),
        eq(jobs.status, job.status),
        isOlderThan(job),
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
      setWhere: isOlderThan(job),
    })
}

/**
 * Writes many rows with one statement and one parameter, because D1 allows a hundred parameters per statement. An entry
 * that is already at the same place is either this one or one that a replaced object left.
 */
function upsertEntries(store: Store, key: JobKey, job: Job, entries: Entry[]) {
  const rows = sql`
    select ${key.organizationId}, ${key.jobId}, value ->> 'kind', value ->> 'seq', value ->> 'text'
    from json_each(${JSON.stringify(entries)})
    where not exists (select 1 from ${jobs} where ${jobs.organizationId} = ${key.organizationId}
      and ${jobs.jobId} = ${key.jobId} and not ${isOlderThan(job)} and not (${isRevisionOf(job)}))`
  return store
    .insert(jobEntries)
    .select(rows)
    .onConflictDoUpdate({
      target: [jobEntries.organizationId, jobEntries.jobId, jobEntries.kind, jobEntries.seq],
      set: { text: sql`excluded.text` },
      setWhere: sql`${jobEntries.text} <> excluded.text`,
    })
}

/** The fence: the stored job is older than this one. In parentheses, since Drizzle's `and` adds none. */
function isOlderThan({ epoch, revision, createdAt }: Job): SQL {
  return sql`(${jobs.epoch} < ${epoch}
    or (${jobs.epoch} = ${epoch} and ${jobs.revision} < ${revision} and ${jobs.createdAt} = ${createdAt}))`
}

function isRevisionOf({ epoch, revision, createdAt }: Job): SQL {
  return sql`${jobs.epoch} = ${epoch} and ${jobs.revision} = ${revision} and ${jobs.createdAt} = ${createdAt}`
}
