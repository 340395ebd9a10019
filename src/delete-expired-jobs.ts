import type { Env } from './env.ts'
import { STATS_DAYS } from './jobs/limits.ts'
import { logError, logEvent } from './log.ts'
import { readSettings } from './settings.ts'
import { databases } from './store/databases.ts'
import { deleteErrorTypes } from './store/delete-error-types.ts'
import { deleteOldJobs } from './store/delete-old-jobs.ts'
import { deleteOldStats } from './store/job-stats.ts'
import { findMoving } from './store/organizations.ts'
import { openStore } from './store/store.ts'

const HOUR = 60 * 60 * 1_000
const DAY = 24 * HOUR
/**
 * Steps of one run, in all databases. A step takes a few statements; the whole cron may take a thousand, calls to objects
 * included.
 */
const STEPS_PER_RUN = 200

/** Steps of one run that delete statistics, in each database. */
const STATS_STEPS_PER_RUN = 10

/**
 * Deletes statistics that are too old, and jobs that finished more than RETENTION_DAYS ago; none if it is 0. `now` is in ms
 * since the epoch.
 */
export async function deleteExpiredJobs(env: Env, now: number): Promise<void> {
  const bound = Object.entries(databases(env))
  for (const [database, binding] of bound) {
    try {
      await deleteOldStats(openStore(binding), now - STATS_DAYS * DAY - HOUR, STATS_STEPS_PER_RUN)
    } catch (error) {
      logError('stats_not_deleted', { database }, error)
    }
  }
  const { retention, archiveAfter } = readSettings(env)
  if (retention === 0) return
  // Never before the job's object is empty: the object compares its job with D1 when archiving it.
  const kept = Math.max(retention, archiveAfter + DAY)
  const findMovers = async () => (bound.length === 1 ? [] : await findMoving(openStore(env.DB)))
  const steps = Math.floor(STEPS_PER_RUN / bound.length)
  for (const [database, binding] of bound) {
    try {
      const store = openStore(binding)
      const deleted = await deleteOldJobs(store, now - kept, steps, findMovers)
      await deleteErrorTypes(store, now - kept)
      logEvent('retention', { database, deleted })
    } catch (error) {
      // The other databases may be well.
      logError('retention_failed', { database }, error)
    }
  }
}
