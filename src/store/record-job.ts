import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Entry, Job, JobKey } from '../jobs/job.ts'
import { findRecorded, type Recorded } from './find-job.ts'
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

/** Whether D1 has the record now; where it has another's instead, which. */
type Recording = { landed: true } | { landed: false; stored: Recorded }

/**
 * Brings D1 level with one job's journal: one atomic batch, safe to repeat. It lands only over a lower epoch, or a lower
 * revision of its own, so that a late write of an object that was replaced in the meantime changes nothing. Throws where
 * D1 does.
 */
export async function recordJob(store: Store, record: JobRecord): Promise<Recording> {
  const { key, job, entries } = record
  if (record.unfinished) {
    await store.batch([upsertEntries(store, key, job, entries)])
    return { landed: true }
  }
  // Where the update finds no row to change, D1 has lost it, or has a newer one: the upsert settles which.
  if (record.onlyProgress && (await writes(store, record, updateProgress(store, key, job))))
    return { landed: true }
  if (await writes(store, record, upsertJob(store, key, job))) return { landed: true }
  const stored = await findRecorded(store, key)
  if (stored === undefined) throw new Error('D1 took neither the job nor has it')
  // An earlier write of this very state, that was given up before D1 answered.
  const isOwn = stored.epoch === job.epoch && stored.revision === job.revision && stored.status === job.status
  return isOwn ? { landed: true } : { landed: false, stored }
}

type JobWrite = ReturnType<typeof updateProgress> | ReturnType<typeof upsertJob>

/** Writes the entries and the job; whether the job was changed by it. */
async function writes(store: Store, { key, job, entries }: JobRecord, write: JobWrite): Promise<boolean> {
  const results =
    entries.length > 0
      ? await store.batch([upsertEntries(store, key, job, entries), write])
      : await store.batch([write])
  return (results.at(-1)?.meta.changes ?? 0) > 0
}

/** All that a report may change of a job that stays in its status: whatever field a job gets, unless it is named here. */
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
 * Many rows by one statement and one parameter: D1 bounds the parameters of a statement at a hundred. What stands at an
 * entry's place already is either this entry or what a replaced object left there.
 */
function upsertEntries(store: Store, key: JobKey, job: Job, entries: Entry[]) {
  const rows = sql`
    select ${key.organizationId}, ${key.jobId}, value ->> 'kind', value ->> 'seq', value ->> 'text'
    from json_each(${JSON.stringify(entries)})
    where not exists (select 1 from ${jobs} where ${jobs.organizationId} = ${key.organizationId}
      and ${jobs.jobId} = ${key.jobId} and (${jobs.epoch}, ${jobs.revision}) > (${job.epoch}, ${job.revision}))`
  return store
    .insert(jobEntries)
    .select(rows)
    .onConflictDoUpdate({
      target: [jobEntries.organizationId, jobEntries.jobId, jobEntries.kind, jobEntries.seq],
      set: { text: sql`excluded.text` },
      setWhere: sql`${jobEntries.text} <> excluded.text`,
    })
}

function isOlderThan({ epoch, revision }: Job): SQL {
  return sql`(${jobs.epoch}, ${jobs.revision}) < (${epoch}, ${revision})`
}
