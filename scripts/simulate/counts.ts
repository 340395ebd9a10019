/** What is used, in the units that Cloudflare bills. */
export interface Costs {
  /** Calls of the job's object. */
  calls: number
  /** Runs of its alarm. */
  alarms: number
  /** Rows that it wrote or deleted, and times that it set its alarm. */
  objectRows: number
  /** Records that it sent to its recorder: calls of that object. */
  records: number
  /** Round trips to D1. */
  d1Calls: number
  d1RowsWritten: number
  d1RowsRead: number
}

export const NOTHING: Costs = {
  calls: 0,
  alarms: 0,
  objectRows: 0,
  records: 0,
  d1Calls: 0,
  d1RowsWritten: 0,
  d1RowsRead: 0,
}

/** The life of a job with this many reports, some of them with an error. `test/worker/costs.test.ts` asserts all of it. */
export const LIFE_REPORTS = 95
export const LIFE_ERRORS = 5
export const LIFE = {
  // Its row, the alarm and its tables. In D1: the row, its key, four indexes, its type to be found by, and the usage of its
  // organization.
  create: { ...NOTHING, calls: 1, objectRows: 2, records: 1, d1Calls: 1, d1RowsWritten: 8, d1RowsRead: 6 },
  start: { ...NOTHING, calls: 1, objectRows: 3, records: 1, d1Calls: 1, d1RowsWritten: 5, d1RowsRead: 5 },
  reports: { ...NOTHING, calls: LIFE_REPORTS, objectRows: LIFE_REPORTS },
  // The job, the entry and its entity.
  reportsWithError: { ...NOTHING, calls: LIFE_ERRORS, objectRows: 3 * LIFE_ERRORS },
  // The alarm, set anew. In D1: the entries, each with its place in an index, the row and the usage, which counts their bytes.
  alarmThatRecords: {
    ...NOTHING,
    alarms: 1,
    objectRows: 1,
    records: 1,
    d1Calls: 1,
    d1RowsWritten: 2 + 2 * LIFE_ERRORS,
    d1RowsRead: 22,
  },
  // As the first job of its type and status in its hour: later ones write one row of statistics, and not three. The one type
  // of its errors is a row, too.
  complete: {
    ...NOTHING,
    calls: 1,
    objectRows: 2,
    records: 1,
    d1Calls: 1,
    d1RowsWritten: 11,
    d1RowsRead: 21,
  },
  alarmThatFindsAllRecorded: { ...NOTHING, alarms: 1, objectRows: 2 },
  // Each value and row that leaves the object, and in D1 its log and the one type of its errors.
  archive: {
    ...NOTHING,
    alarms: 1,
    objectRows: 5 + 2 * LIFE_ERRORS,
    d1Calls: 7,
    d1RowsWritten: 2,
    d1RowsRead: 12,
  },
  // The entries, their one type, the log, the row, what it is found by, the usage and the statistics, which note that it is
  // gone. The runtime does not count what leaves an index.
  delete: { ...NOTHING, d1Calls: 2, d1RowsWritten: 6 + LIFE_ERRORS, d1RowsRead: 37 },
} satisfies Record<string, Costs>
