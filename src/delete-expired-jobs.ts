import type { Env } from './env.ts'
import { logEvent } from './log.ts'
import { deleteOldJobs } from './store/delete-old-jobs.ts'
import { openStore } from './store/store.ts'

const DAY = 24 * 60 * 60 * 1_000
/** One run's steps. A step is a few statements, of which one run of a Worker may send a thousand. */
const STEPS_A_RUN = 200

/** Deletes what was finished longer ago than RETENTION_DAYS; with 0, nothing. `now` is ms since the epoch. */
export async function deleteExpiredJobs(env: Env, now: number): Promise<void> {
  if (env.RETENTION_DAYS === 0) return
  // Not before its object is empty: that has to find its job in D1 when it gives the job up.
  const kept = Math.max(env.RETENTION_DAYS * DAY, env.ARCHIVE_AFTER_SECONDS * 1_000 + DAY)
  const deleted = await deleteOldJobs(openStore(env.DB), now - kept, STEPS_A_RUN)
  logEvent('retention', { deleted })
}
