import type { Job, JobKey } from '../jobs/job.ts'
import { type StoredJob, upgradeJob } from '../jobs/job.ts'

/** The storage format of this version. */
export const STORED_VERSION = 3

/** A job in storage. */
export interface StoredState {
  /** Absent if the first version stored it. */
  version?: number
  key: JobKey
  job: StoredJob
}

/**
 * Upgrades what an earlier version stored in an object, in one step. `tables` creates the tables of this version. State
 * that is current, or that a newer version stored before a rollback, stays as it is.
 */
export function upgradeJournal(storage: DurableObjectStorage, tables: string): void {
  if (storage.kv.get('emptied') !== undefined) renameMark(storage)
  const stored = storage.kv.get<StoredState>('job')
  if (stored === undefined) return
  const { version = 1, key, job } = stored
  if (version >= STORED_VERSION) return
  storage.transactionSync(() => {
    storage.sql.exec(tables)
    const upgraded: Job = {
      ...upgradeJob(job),
      ...(version < 2 && upgradeFirst(storage)),
      entryBytes: countEntryBytes(storage),
    }
    storage.kv.put('job', { version: STORED_VERSION, key, job: upgraded } satisfies StoredState)
  })
}

/** Moves what the first version stored elsewhere. Returns the fields that follow from it. */
function upgradeFirst(storage: DurableObjectStorage): Partial<Job> {
  moveAnswers(storage)
  const toCreate = storage.kv.get<{ retry: { fingerprint: string } }>('answer-to-create')
  storage.kv.delete('answer-to-create')
  return { createFingerprint: toCreate?.retry.fingerprint ?? null, ...countEntities(storage) }
}

/** The first version called the mark of an archived job `emptied`. */
function renameMark(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    storage.kv.put('archived', storage.kv.get('emptied'))
    storage.kv.delete('emptied')
  })
}

/** The first version called the table of replies `answer`. */
function moveAnswers(storage: DurableObjectStorage): void {
  const exists = storage.sql.exec(`select 1 from sqlite_master where name = 'answer'`).toArray().length > 0
  if (!exists) return
  storage.sql.exec(`
    insert into reply (slot, n, request_key, fingerprint, as_of, job)
      select slot, n, retry_key, fingerprint, as_of, job from answer;
    drop table answer;`)
}

/** The first version did not count entities. */
function countEntities(storage: DurableObjectStorage): Pick<Job, 'keptEntities' | 'entityBytes'> {
  return storage.sql
    .exec<{ keptEntities: number; entityBytes: number }>(
      `select count(*) as keptEntities,
         coalesce(sum(octet_length(entity_type) + octet_length(entity_key)), 0) as entityBytes
       from entity`,
    )
    .one()
}

/** Versions before the third did not count the bytes of entries. */
function countEntryBytes(storage: DurableObjectStorage): number {
  return storage.sql
    .exec<{ bytes: number }>('select coalesce(sum(octet_length(text)), 0) as bytes from entry')
    .one().bytes
}
