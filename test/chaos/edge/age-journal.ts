/** Fields that jobs did not have in version 0.1.0. */
const LATER_FIELDS = [
  ...['epoch', 'createFingerprint', 'keptEntities', 'entityBytes', 'entitiesNotKept'],
  ...['counters', 'countersNotKept', 'finalReportUntil'],
]
/**
 * This one stays in the replies to keyed requests. An upgrade counts it for the job and not for each reply, so a repeat of a
 * request to that version shows 0.
 */
const LATER_COUNT = 'entryBytes'

type Stored = { key: unknown; job: Record<string, unknown> & { epoch: number; createdAt: number } }

/**
 * Rewrites a job's journal in the format of version 0.1.0, as recorded in `test/edge/recorded-0.1.0`. Returns false and changes
 * nothing if there is no live journal, or if the job was claimed: that version had no claims.
 */
export function ageJournal(storage: DurableObjectStorage): boolean {
  const stored = storage.kv.get<Stored>('job')
  if (stored === undefined || stored.job.epoch > 0) return false
  const { key, job } = stored
  storage.transactionSync(() => {
    storage.sql.exec(`
      create table answer (
        slot integer primary key, n integer not null, retry_key text not null, fingerprint text not null,
        as_of integer not null, job text not null
      );
      insert into answer (slot, n, retry_key, fingerprint, as_of, job)
        select slot, n, request_key, fingerprint, as_of,
          json_remove(job, ${LATER_FIELDS.map((field) => `'$.${field}'`).join()})
        from reply where job is not null;
      drop table reply;
      drop table entry_group;`)
    storage.kv.delete('counted')
    const later = [...LATER_FIELDS, LATER_COUNT]
    const old = Object.fromEntries(Object.entries(job).filter(([field]) => !later.includes(field)))
    storage.kv.put('job', { key, job: old })
    if (typeof job.createFingerprint !== 'string') return
    const retry = { key: 'create', fingerprint: job.createFingerprint }
    storage.kv.put('answer-to-create', { retry, asOf: job.createdAt, job: old })
  })
  return true
}
