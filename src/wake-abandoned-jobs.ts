import type { Env } from './env.ts'
import { jobObject } from './job-object/address.ts'
import type { JobKey } from './jobs/job.ts'
import { type Placement, UNPLACED } from './jobs/placement.ts'
import { logError, logEvent, logJobError } from './log.ts'
import { readSettings } from './settings.ts'
import { databases } from './store/databases.ts'
import { findSilentJobs } from './store/find-silent-jobs.ts'
import { findPlacements } from './store/organizations.ts'
import { openStore } from './store/store.ts'

const DAY = 24 * 60 * 60 * 1_000
/** The objects called in one run, in all databases together. The next run takes the rest. */
const JOBS_PER_RUN = 200
/** Steps of one run: see `findSilentJobs`. */
const STEPS_PER_RUN = 50
/** The objects called at the same time. */
const CALLS_AT_ONCE = 10

/**
 * Wakes the objects of live jobs that D1 has heard nothing of for ABANDONED_AFTER_DAYS; none if it is 0. An object
 * abandons its job by its alarm, but only a loaded object sets one: not one that was last loaded before the setting
 * existed, that lost its storage, or whose job was imported. `now` is in ms since the epoch.
 */
export async function wakeAbandonedJobs(env: Env, now: number): Promise<void> {
  const { abandonAfterDays } = readSettings(env)
  if (abandonAfterDays === 0) return
  const before = now - abandonAfterDays * DAY
  const bound = Object.entries(databases(env))
  const share = (most: number) => Math.floor(most / bound.length)
  for (const [database, binding] of bound) {
    try {
      const silent = await findSilentJobs(
        openStore(binding),
        before,
        share(JOBS_PER_RUN),
        share(STEPS_PER_RUN),
      )
      const there = await placedIn(env, database, silent)
      let woken = 0
      for (let next = 0; next < there.length; next += CALLS_AT_ONCE) {
        const calls = there.slice(next, next + CALLS_AT_ONCE).map((job) => wake(env, job))
        woken += (await Promise.all(calls)).filter(Boolean).length
      }
      logEvent('abandoned', { database, silent: silent.length, woken })
    } catch (error) {
      // The other databases may be well.
      logError('abandoned_not_found', { database }, error)
    }
  }
}

interface PlacedJob {
  key: JobKey
  placement: Placement
}

/** The jobs whose organization lives in this database. Of one that is moving in, the rows may be out of date. */
async function placedIn(env: Env, database: string, keys: JobKey[]): Promise<PlacedJob[]> {
  const ids = new Set(keys.map(({ organizationId }) => organizationId))
  const placements = await findPlacements(openStore(env.DB), [...ids])
  return keys.flatMap((key) => {
    const placement = placements.get(key.organizationId) ?? UNPLACED
    return placement.database === database ? [{ key, placement }] : []
  })
}

/** Any call loads the job, which sets the alarm. False if it cannot be loaded now: a later run tries again. */
async function wake(env: Env, { key, placement }: PlacedJob): Promise<boolean> {
  try {
    return (await jobObject(env.JOBS, key).read({ ...key, placement })).ok
  } catch (error) {
    logJobError('job_not_woken', key, error)
    return false
  }
}
