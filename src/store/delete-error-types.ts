import { lt, sql } from 'drizzle-orm'
import { errorTypeHours } from './schema.ts'
import type { Store } from './store.ts'

const HOUR = 3_600_000

/** The most that one run deletes, so that it does not block D1 for long. There is a run every hour. */
const HOURS_PER_RUN = 24

/** Deletes the counts of the oldest hours that were over `before`, in ms since the epoch. Throws if D1 fails. */
export async function deleteErrorTypes(store: Store, before: number): Promise<void> {
  const { hour } = errorTypeHours
  const some = sql`(select min(${hour}) + ${HOURS_PER_RUN} from ${errorTypeHours})`
  await store.delete(errorTypeHours).where(lt(hour, sql`min(${Math.floor(before / HOUR)}, ${some})`))
}
