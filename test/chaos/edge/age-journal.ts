/** What jobs did not have yet in version 0.1.0. */
const LATER_FIELDS = ['epoch', 'createFingerprint', 'keptEntities', 'entityBytes', 'entitiesNotKept']

type Stored = { key: unknown; job: Record<string, unknown> & { epoch: number; createdAt: number } }

/**
 * Puts a job's journal into the form in which version 0.1.0 stored it, as `test/edge/recorded-0.1.0` has it. False, and
 * nothing is changed, where there is no live journal, or its job was claimed: that version knew no claims.
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
    const old = Object.fromEntries(Object.entries(job).filter(([field]) => !LATER_FIELDS.includes(field)))
    storage.kv.put('job', { key, job: old })
    if (typeof job.createFingerprint !== 'string') return
    const retry = { key: 'create', fingerprint: job.createFingerprint }
    storage.kv.put('answer-to-create', { retry, asOf: job.createdAt, job: old })
  })
  return true
}
