import type { Job, JobKey } from '../jobs/job.ts'
import { type StoredJob, upgradeJob } from '../jobs/job.ts'

/** The form in which this version stores a job and what belongs to it. */
export const STORED_VERSION = 2

/** The job, as it is stored. */
export interface StoredState {
  /** Absent in what the first version stored. */
  version?: number
  key: JobKey
  job: StoredJob
}

/**
 * Brings what an earlier version stored in an object into the form of this one, in one step; `tables` creates those that
 * this version has. What is up to date, or stored by a newer version before a rollback, is left as it is.
 */
export function upgradeJournal(storage: DurableObjectStorage, tables: string): void {
  if (storage.kv.get('emptied') !== undefined) renameMark(storage)
  const stored = storage.kv.get<StoredState>('job')
  if (stored === undefined) return
  const { version = 1, key, job } = stored
  if (version >= STORED_VERSION) return
  storage.transactionSync(() => {
    storage.sql.exec(tables)
    moveAnswers(storage)
    const toCreate = storage.kv.get<{ retry: { fingerprint: string } }>('answer-to-create')
    storage.kv.delete('answer-to-create')
    const upgraded: Job = {
      ...upgradeJob(job),
      createFingerprint: toCreate?.retry.fingerprint ?? null,
      ...countEntities(storage),
    }
    storage.kv.put('job', { version: STORED_VERSION, key, job: upgraded } satisfies StoredState)
  })
}

/** The mark of a job that has left for D1. */
function renameMark(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    storage.kv.put('archived', storage.kv.get('emptied'))
    storage.kv.delete('emptied')
  })
}

/** The first version kept the replies to keyed reports as `answer`. */
function moveAnswers(storage: DurableObjectStorage): void {
  const isThere = storage.sql.exec(`select 1 from sqlite_master where name = 'answer'`).toArray().length > 0
  if (!isThere) return
  storage.sql.exec(`
    insert into reply (slot, n, request_key, fingerprint, as_of, job)
      select slot, n, retry_key, fingerprint, as_of, job from answer;
    drop table answer;`)
}

/** The first version did not count them. */
function countEntities(storage: DurableObjectStorage): Pick<Job, 'keptEntities' | 'entityBytes'> {
  return storage.sql
    .exec<{ keptEntities: number; entityBytes: number }>(
      `select count(*) as keptEntities,
         coalesce(sum(octet_length(entity_type) + octet_length(entity_key)), 0) as entityBytes
       from entity`,
    )
    .one()
}
