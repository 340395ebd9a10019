import { Moment } from '../moment.ts'
import { recordJobs } from '../store/record-jobs.ts'
import { isDataError, type Store } from '../store/store.ts'
import type { Pending } from './pending-records.ts'

/** How long the parts of a refused batch are tried for, in ms: others wait meanwhile. */
const MAX_DIVIDING_MS = 10_000

/** Records that D1 does not take even alone, and why. */
export type Refused = [Pending, Error][]

/**
 * Writes one batch and settles its records. If a record is to blame for a failure, the batch is divided until the records
 * to blame are alone, and the others land. Returns those, and why records failed that are not to blame. Never throws.
 */
export async function writeBatch(
  store: Store,
  batch: Pending[],
): Promise<{ refused: Refused; failure?: Error }> {
  const refused: Refused = []
  const parts = [batch]
  const startedAt = new Moment(Date.now())
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const error = await tryBatch(store, part)
    if (error === undefined) continue
    const [first] = part
    if (isDataError(error) && part.length === 1 && first !== undefined) {
      first.settle(error)
      refused.push([first, error])
    } else if (isDataError(error) && startedAt.isWithin(MAX_DIVIDING_MS, Date.now())) {
      const middle = part.length >> 1
      parts.push(part.slice(middle), part.slice(0, middle))
    } else {
      // D1 is down, or the time is up: dividing would only multiply the calls.
      for (const { settle } of [part, ...parts].flat()) settle(error)
      return { refused, failure: error }
    }
  }
  return { refused }
}

/** Writes and settles the records, or returns why none of them was written. */
async function tryBatch(store: Store, batch: Pending[]): Promise<Error | undefined> {
  try {
    const recordings = await recordJobs(
      store,
      batch.map(({ record }) => record),
    )
    batch.forEach(({ settle }, at) => {
      const recording = recordings[at]
      if (recording !== undefined) settle(recording)
    })
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
