import type { Env } from './env.ts'
import { jobObject } from './job-object/address.ts'
import type { JobKey } from './jobs/job.ts'
import { logEvent, logJobError } from './log.ts'
import { readSettings } from './settings.ts'
import { findSilentJobs } from './store/find-silent-jobs.ts'
import { openStore } from './store/store.ts'

const DAY = 24 * 60 * 60 * 1_000
/** The objects called in one run. The next run takes the rest. */
const JOBS_PER_RUN = 200
/** Steps of one run: see `findSilentJobs`. */
const STEPS_PER_RUN = 50
/** The objects called at the same time. */
const CALLS_AT_ONCE = 10

/**
 * Wakes the objects of live jobs that D1 has heard nothing of for ABANDONED_AFTER_DAYS; none if it is 0. An object
 * abandons its job by its alarm, but only a loaded object sets one: not one that was last loaded before the setting
 * existed, that lost its storage, or whose job was imported. `now` is in ms since the epoch. Throws if D1 fails.
 */
export async function wakeAbandonedJobs(env: Env, now: number): Promise<void> {
  const { abandonAfterDays } = readSettings(env)
  if (abandonAfterDays === 0) return
  const before = now - abandonAfterDays * DAY
  const silent = await findSilentJobs(openStore(env.DB), before, JOBS_PER_RUN, STEPS_PER_RUN)
  let woken = 0
  for (let next = 0; next < silent.length; next += CALLS_AT_ONCE) {
    const calls = silent.slice(next, next + CALLS_AT_ONCE).map((key) => wake(env, key))
    woken += (await Promise.all(calls)).filter(Boolean).length
  }
  logEvent('abandoned', { silent: silent.length, woken })
}

/** Any call loads the job, which sets the alarm. False if it cannot be loaded now: a later run tries again. */
async function wake(env: Env, key: JobKey): Promise<boolean> {
  try {
    return (await jobObject(env.JOBS, key).read(key)).ok
  } catch (error) {
    logJobError('job_not_woken', key, error)
    return false
  }
}
