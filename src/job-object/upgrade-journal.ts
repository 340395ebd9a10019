import type { Job, JobKey } from '../jobs/job.ts'
import { type StoredJob, upgradeJob } from '../jobs/job.ts'
import { MAX_REPLY_BYTES } from '../jobs/limits.ts'
import type { Placement } from '../jobs/placement.ts'

/** The storage format of this version. */
export const STORED_VERSION = 4

/** What D1 has of the job: a revision, and the number of entries of each kind. */
export interface Progress {
  revision: number
  /** Null while D1 does not have the job at all. */
  status: Job['status'] | null
  error: number
  warning: number
  /** When D1 got it and how long after that the recorder wants the next record, in ms. Absent before the first. */
  pace?: { at: number; interval: number }
}

export const UNRECORDED: Progress = { revision: 0, status: null, error: 0, warning: 0 }

/** A packed history in storage. */
export interface StoredHistory {
  spacing: number
  numbers: Float64Array
}

/** A job in storage. */
export interface StoredState {
  /** Absent if the first version stored it. */
  version?: number
  key: JobKey
  job: StoredJob
  /** Apart from it before the third version. */
  recorded?: Progress
  /** Absent if there was one database when it was stored. */
  placement?: Placement
  /** Absent if a version stored it that kept none. */
  history?: StoredHistory
}

/**
 * Upgrades what an earlier version stored in an object, in one step. `tables` creates the tables of this version. State
 * that is current, or that a newer version stored before a rollback, stays as it is.
 */
export function upgradeJournal(storage: DurableObjectStorage, tables: string): void {
  if (storage.kv.get('emptied') !== undefined) renameMark(storage)
  const stored = storage.kv.get<StoredState>('job')
  if (stored === undefined) return
  const { version = 1, job } = stored
  if (version >= STORED_VERSION) return
  storage.transactionSync(() => {
    renameStanding(storage)
    storage.sql.exec(tables)
    addPlacesOfGroups(storage)
    const upgraded: Job = {
      ...upgradeJob(job),
      ...(version < 2 && upgradeFirst(storage)),
      ...(version < 3 && { entryBytes: countEntryBytes(storage) }),
    }
    const recorded = storage.kv.get<Progress>('recorded') ?? stored.recorded ?? UNRECORDED
    storage.kv.delete('recorded')
    const state = { ...stored, version: STORED_VERSION, job: upgraded, recorded }
    storage.kv.put('job', state satisfies StoredState)
  })
}

/** Moves what the first version stored elsewhere. Returns the fields that follow from it. */
function upgradeFirst(storage: DurableObjectStorage): Partial<Job> {
  moveAnswers(storage)
  const toCreate = storage.kv.get<{ retry: { fingerprint: string } }>('answer-to-create')
  storage.kv.delete('answer-to-create')
  return { createFingerprint: toCreate?.retry.fingerprint ?? null, ...countEntities(storage) }
}

/** Until version 3, the state of an entity was called its standing. */
function renameStanding(storage: DurableObjectStorage): void {
  if (definitionOf(storage, 'entity').includes('standing'))
    storage.sql.exec('alter table entity rename column standing to state')
}

/** Until version 4, a group of entries did not know its first and its last. All are counted anew. */
function addPlacesOfGroups(storage: DurableObjectStorage): void {
  if (definitionOf(storage, 'entry_group').includes('last_seq')) return
  for (const name of ['first_seq', 'last_seq'])
    storage.sql.exec(`alter table entry_group add column ${name} integer`)
  storage.sql.exec('delete from entry_group')
  storage.kv.delete('counted')
}

/** The statement that made a table; empty if there is none. */
function definitionOf({ sql }: DurableObjectStorage, table: string): string {
  const [row] = sql.exec<{ sql: string }>('select sql from sqlite_master where name = ?', table).toArray()
  return row?.sql ?? ''
}

/** The first version called the mark of an archived job `emptied`. */
function renameMark(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    storage.kv.put('archived', storage.kv.get('emptied'))
    storage.kv.delete('emptied')
  })
}

/** The first version called the table of replies `answer` and did not bound their bytes. Only the newest stay whole. */
function moveAnswers(storage: DurableObjectStorage): void {
  if (definitionOf(storage, 'answer') === '') return
  storage.sql.exec(
    `with summed as (select n, sum(octet_length(job)) over (order by n desc) as bytes from answer)
    insert into reply (slot, n, request_key, fingerprint, as_of, job)
      select slot, n, retry_key, fingerprint, as_of,
        iif(n >= (select min(n) from summed where bytes <= ?), job, null)
      from answer`,
    MAX_REPLY_BYTES,
  )
  storage.sql.exec('drop table answer')
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
