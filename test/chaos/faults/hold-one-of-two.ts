import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { TENANTS, type Tenant } from '../edge-commands.ts'
import { FaultError } from '../fault-error.ts'
import { countAcknowledged, type LedgerJob } from '../ledger.ts'
import { Probe } from '../probe.ts'
import type { Run } from '../run.ts'
import { until } from '../until.ts'
import { holdD1 } from './hold-d1.ts'

/** How soon a new status must be in D1. The edge waits 2 s for it before it replies; a busy machine gets more. */
const STATUS_TIMEOUT_MS = 10_000
/** How soon other reports must be in D1: the product's own bound. */
const REPORTS_TIMEOUT_MS = 30_000

/**
 * Locks one database. Meanwhile the other must record the jobs of its tenant: each status of a new job, and every report that
 * was acknowledged since the lock began. If it does not, that is a complaint.
 */
export async function holdOneOfTwo(run: Run, locked: Tenant): Promise<void> {
  const [well] = TENANTS.filter((tenant) => tenant !== locked)
  if (well === undefined) throw new Error('There is no other database')
  const reader = run.stage.openD1File(well, { readOnly: true })
  const ms = 2_000 + run.random() * 2_000
  let isRecorded = false
  try {
    await holdD1(run, locked, ms, async () => {
      const before = countEntries(run, well)
      try {
        await changeStatuses(run, well, reader)
        // Meanwhile the workers report.
        await pause(ms / 2)
        await untilRecorded(run, before, countEntries(run, well), reader)
        isRecorded = true
      } catch (error) {
        if (error instanceof FaultError) throw error
        run.complaints.push(`while ${locked.database} was locked: ${error}`)
      }
    })
  } finally {
    reader.close()
  }
  if (isRecorded) run.injectedInto[locked.database].locksAlone++
}

/** Takes a new job through its statuses. Each must be in D1 soon after its reply. */
async function changeStatuses(run: Run, tenant: Tenant, reader: DatabaseSync): Promise<void> {
  const { recordedMeanwhile } = run
  const probe = new Probe(run, tenant)
  const job = await probe.create()
  const untilInD1 = async (expected: string) => {
    const since = Date.now()
    await until(`${tenant.database} has the status ${expected}`, STATUS_TIMEOUT_MS, () => {
      const row = reader.prepare('select status from jobs where job_id = ?').get(job.jobId)
      return row?.status === expected
    })
    recordedMeanwhile.statuses++
    recordedMeanwhile.statusMs = Math.max(recordedMeanwhile.statusMs, Date.now() - since)
  }
  await untilInD1('pending')
  await probe.report(job, 'started')
  await untilInD1('in_progress')
  await probe.report(job, 'completed')
  await untilInD1('completed_with_warnings')
}

/** Waits until D1 has the entries of the jobs that got some since `before`. */
async function untilRecorded(
  { recordedMeanwhile }: Run,
  before: Map<LedgerJob, number>,
  expected: Map<LedgerJob, number>,
  reader: DatabaseSync,
): Promise<void> {
  const since = Date.now()
  const count = reader.prepare('select count(*) as count from job_entries where job_id = ?')
  const reported = [...expected].filter(([job, entries]) => entries > (before.get(job) ?? 0))
  if (!reported.some(([job]) => before.has(job)))
    throw new FaultError('No worker reported on a job of the other database')
  await until('the other database has the reports on its jobs', REPORTS_TIMEOUT_MS, () =>
    reported.every(([{ jobId }, entries]) => Number(count.get(jobId)?.count) >= entries),
  )
  recordedMeanwhile.entries += reported.reduce(
    (sum, [job, entries]) => sum + entries - (before.get(job) ?? 0),
    0,
  )
  recordedMeanwhile.reportsMs = Math.max(recordedMeanwhile.reportsMs, Date.now() - since)
}

/** The number of acknowledged entries of each job of a tenant. */
function countEntries({ jobs }: Run, tenant: Tenant): Map<LedgerJob, number> {
  return new Map(
    jobs
      .filter((job) => job.tenant === tenant)
      .map((job) => {
        const { errors, warnings } = countAcknowledged(job)
        return [job, errors + warnings]
      }),
  )
}
