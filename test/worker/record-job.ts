import { type JobRecord, packRecord, type Recording, recordJobs } from '../../src/store/record-jobs.ts'
import type { Store } from '../../src/store/store.ts'

/** Records one job in D1, past its object and the recorder. */
export async function recordJob(store: Store, record: JobRecord): Promise<Recording> {
  const [recording] = await recordJobs(store, [packRecord(record)])
  if (recording === undefined || recording instanceof Error) throw recording
  return recording
}
