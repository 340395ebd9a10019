import type { Context } from 'hono'
import { RequestBudget } from '../../access/request-budget.ts'
import { logErrorThrottled } from '../../log.ts'
import type { EdgeEnv } from '../edge-env.ts'

const budget = new RequestBudget({
  now: Date.now,
  onError: (error) => logErrorThrottled('rate_limit_unavailable', {}, error),
})

/** Charges this request to its caller's budget; false if that is spent. Must come after `authenticate`. */
export function spendRequest(c: Context<EdgeEnv>): boolean {
  return budget.spend(c.env.REQUESTS, c.var.caller.id, (work) => c.executionCtx.waitUntil(work))
}

/** Charges the caller for a request for a job that does not exist. */
export function chargeMiss(c: Context<EdgeEnv>): void {
  budget.chargeMiss(c.env.REQUESTS, c.var.caller.id)
}
