import { setTimeout as pause } from 'node:timers/promises'
import type { Tenant } from '../edge-commands.ts'
import { FaultError } from '../fault-error.ts'
import type { LedgerJob } from '../ledger.ts'
import { Probe } from '../probe.ts'
import type { Run } from '../run.ts'
import { until } from '../until.ts'

/**
 * Locks the database of a tenant for `ms` with a transaction on its file, while it starts one job of the tenant and creates
 * another. Both must be acknowledged, and neither may be in the database before the lock ends. Runs `meanwhile` under the same
 * lock.
 */
export async function holdD1(
  run: Run,
  tenant: Tenant,
  ms: number,
  meanwhile?: () => Promise<void>,
): Promise<void> {
  const { stage, injectedInto } = run
  const probe = new Probe(run, tenant)
  const started = await probe.create()
  const reader = stage.openD1File(tenant, { readOnly: true })
  const holder = stage.openD1File(tenant, { readOnly: false })
  const statusInD1 = ({ jobId }: LedgerJob) =>
    reader.prepare('select status from jobs where job_id = ?').get(jobId)?.status
  try {
    await until('D1 has the job', 20_000, () => statusInD1(started) === 'pending')
    holder.exec('begin immediate')
    const heldUntil = Date.now() + ms
    await probe.report(started, 'started')
    const created = await probe.create()
    await meanwhile?.()
    await pause(Math.max(0, heldUntil - Date.now()))
    const found = [statusInD1(started), statusInD1(created)]
    if (found[0] !== 'pending' || found[1] !== undefined) {
      throw new FaultError(`${tenant.database} was locked but has the statuses ${found.join(' and ')}`)
    }
    injectedInto[tenant.database].locks++
  } finally {
    if (holder.isTransaction) holder.exec('rollback')
    holder.close()
    reader.close()
  }
}
