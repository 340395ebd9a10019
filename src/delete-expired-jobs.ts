import type { Env } from './env.ts'
import { logError, logEvent } from './log.ts'
import { readSettings } from './settings.ts'
import { databases } from './store/databases.ts'
import { deleteErrorTypes } from './store/delete-error-types.ts'
import { deleteOldJobs } from './store/delete-old-jobs.ts'
import { openStore } from './store/store.ts'

const DAY = 24 * 60 * 60 * 1_000
/**
 * Steps of one run, in all databases. A step takes a few statements; the whole cron may take a thousand, calls to objects
 * included.
 */
const STEPS_PER_RUN = 200

/** Deletes jobs that finished more than RETENTION_DAYS ago; none if it is 0. `now` is in ms since the epoch. */
export async function deleteExpiredJobs(env: Env, now: number): Promise<void> {
  const { retention, archiveAfter } = readSettings(env)
  if (retention === 0) return
  // Never before the job's object is empty: the object compares its job with D1 when archiving it.
  const kept = Math.max(retention, archiveAfter + DAY)
  const bound = Object.entries(databases(env))
  const steps = Math.floor(STEPS_PER_RUN / bound.length)
  for (const [database, binding] of bound) {
    try {
      const store = openStore(binding)
      const deleted = await deleteOldJobs(store, now - kept, steps)
      await deleteErrorTypes(store, now - kept)
      logEvent('retention', { database, deleted })
    } catch (error) {
      // The other databases may be well.
      logError('retention_failed', { database }, error)
    }
  }
}
