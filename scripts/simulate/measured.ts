/**
 * What `node scripts/simulate/measure.ts` printed in three runs on 2026-11-27: local D1 in workerd, on two cores that were
 * busy with other work. Times are in ms.
 */
export const MEASURED = {
  batch: 2,
  progressRecord: 0.12,
  statusRecord: 0.15,
  /** 0.05 before each had a place in an index; that makes an insert half as expensive again, measured on SQLite alone. */
  entry: 0.08,
  query: 1,
  /** CPU of the whole runtime for a report: an upper bound, since only the Worker's share is billed. */
  reportCpu: 1.4,
  /** Bytes in D1, indexes included. */
  jobBytes: 1_440,
  entryBytes: 478,
  /** Characters of JSON in a record. */
  rowCharacters: 1_442,
  entryCharacters: 429,
}

/** Guesses about production, in ms. */
export const GUESSED = {
  /** From a recorder to its database and back. */
  d1RoundTrip: 30,
  /** From a job's object to its recorder and back. */
  objectCall: 10,
  /** How long a report keeps an object active that has nothing else to do. */
  reportHandling: 10,
}
