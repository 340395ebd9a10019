import { recordJobs } from '../store/record-jobs.ts'
import type { Store } from '../store/store.ts'
import type { Pending } from './pending-records.ts'

/** Records that D1 does not take even alone, and why. */
export type Refused = [Pending, Error][]

/**
 * Writes one batch and settles its records. If D1 does not take it, it is divided until the records to blame are alone,
 * and the others land. Returns what D1 refused, and why the batch as a whole failed, if nothing of it landed. Never throws.
 */
export async function writeBatch(
  store: Store,
  batch: Pending[],
): Promise<{ refused: Refused; failure?: Error }> {
  const error = await tryBatch(store, batch)
  if (error === undefined) return { refused: [] }
  const probes = batch.length > 1 ? [...new Set([batch[0], batch[batch.length >> 1], batch.at(-1)])] : []
  const refused: Refused = []
  for (const probe of probes) {
    const fault = probe && (await tryBatch(store, [probe]))
    if (probe && fault) refused.push([probe, fault])
  }
  // Not one landed: that is D1, and not the records. To divide them would only multiply the calls.
  if (refused.length === probes.length) {
    for (const { settle } of batch) settle(error)
    return { refused: [], failure: error }
  }
  refused.push(
    ...(await divide(
      store,
      batch.filter((pending) => !probes.includes(pending)),
    )),
  )
  for (const [{ settle }, fault] of refused) settle(fault)
  return { refused }
}

/** Writes the records in ever smaller batches. Returns those that fail alone, with their errors. */
async function divide(store: Store, batch: Pending[]): Promise<Refused> {
  const error = batch.length === 0 ? undefined : await tryBatch(store, batch)
  const [first] = batch
  if (error === undefined || first === undefined) return []
  if (batch.length === 1) return [[first, error]]
  const middle = batch.length >> 1
  return [...(await divide(store, batch.slice(0, middle))), ...(await divide(store, batch.slice(middle)))]
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
