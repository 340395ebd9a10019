import type { Env } from './env.ts'
import { logEvent } from './log.ts'
import { readSettings } from './settings.ts'
import { deleteOldJobs } from './store/delete-old-jobs.ts'
import { openStore } from './store/store.ts'

const DAY = 24 * 60 * 60 * 1_000
/** Steps of one run. A step takes a few statements; the whole cron may take a thousand, calls to objects included. */
const STEPS_PER_RUN = 200

/** Deletes jobs that finished more than RETENTION_DAYS ago; none if it is 0. `now` is in ms since the epoch. */
export async function deleteExpiredJobs(env: Env, now: number): Promise<void> {
  const { retention, archiveAfter } = readSettings(env)
  if (retention === 0) return
  // Never before the job's object is empty: the object compares its job with D1 when archiving it.
  const kept = Math.max(retention, archiveAfter + DAY)
  const deleted = await deleteOldJobs(openStore(env.DB), now - kept, STEPS_PER_RUN)
  logEvent('retention', { deleted })
}
