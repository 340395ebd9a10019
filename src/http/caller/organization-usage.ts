import type { Context } from 'hono'
import { KnownUsage } from '../../access/known-usage.ts'
import type { Env } from '../../env.ts'
import type { UsageLimits } from '../../jobs/usage.ts'
import { logErrorThrottled } from '../../log.ts'
import { readSettings } from '../../settings.ts'
import { databaseOf } from '../../store/databases.ts'
import { findUsage } from '../../store/find-usage.ts'
import { openReplica } from '../../store/store.ts'
import type { EdgeEnv } from '../edge-env.ts'
import type { UsageRefusal } from '../reply/refuse.ts'

const knownUsage = new KnownUsage({ now: Date.now })

export function usageLimits(env: Env): UsageLimits {
  const { maxLiveJobs, maxBytes } = readSettings(env)
  return { liveJobs: maxLiveJobs, bytes: maxBytes }
}

/** Why the organization may not create another job; undefined if it may, or if D1 cannot say. */
export async function refusalToCreate(
  c: Context<EdgeEnv>,
  organizationId: string,
): Promise<UsageRefusal | undefined> {
  const limits = usageLimits(c.env)
  const excess = await knownUsage.admit(organizationId, limits, {
    lookUp: () => lookUp(c, organizationId),
    keepAlive: (work) => c.executionCtx.waitUntil(work),
  })
  return excess && { ok: false, reason: excess, limits }
}

/** A replica will do: the answer is remembered for longer than a replica lags. */
async function lookUp(c: Context<EdgeEnv>, organizationId: string) {
  try {
    return await findUsage(openReplica(databaseOf(c.env, c.var.placement.database)), organizationId)
  } catch (error) {
    logErrorThrottled('usage_not_looked_up', { request_id: c.var.requestId }, error)
    throw error
  }
}
