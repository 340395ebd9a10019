import { setTimeout as pause } from 'node:timers/promises'
import { compareJob } from './compare-job.ts'
import { TENANTS } from './edge-commands.ts'
import { countRecorded, type Databases, inspectJob, openDatabases } from './inspect-job.ts'
import { countAcknowledged, type LedgerJob, possibleStatuses, type Verdict } from './ledger.ts'
import type { Stage } from './stage.ts'

/** How long D1 may stay behind once everything is quiet. */
const CATCH_UP_MS = 60_000

/** Finds the jobs with acknowledged reports that are not yet in D1. Reads only D1, to wake no job object. */
export async function findBehind(stage: Stage, jobs: LedgerJob[]): Promise<LedgerJob[]> {
  const recorded = new Map(
    await Promise.all(
      TENANTS.map(async (tenant) => {
        const counts = await countRecorded(await stage.edge.d1(tenant.database), tenant)
        return [tenant.database, counts] as const
      }),
    ),
  )
  return jobs.filter((job) => {
    const counts = recorded.get(job.tenant.database)?.get(job.jobId)
    if (counts === undefined) return true
    const { errors, warnings } = countAcknowledged(job)
    const statuses = possibleStatuses(job, counts.error > 0, counts.warning > 0)
    return counts.error < errors || counts.warning < warnings || !statuses.includes(counts.status)
  })
}

/** Waits for D1 to catch up by itself. Returns the jobs that are still behind at the end. */
export async function waitForD1(stage: Stage, jobs: LedgerJob[]): Promise<LedgerJob[]> {
  const deadline = Date.now() + CATCH_UP_MS
  for (;;) {
    const behind = await findBehind(stage, jobs)
    if (behind.length === 0 || Date.now() > deadline) return behind
    await pause(500)
  }
}

export type Findings = Omit<Verdict, 'disagreements'> & { disagreeingJobs: number; all: string[] }

/** Compares every job with the ledger. `late` holds the jobs that D1 did not catch up with by itself. */
export async function judge(stage: Stage, jobs: LedgerJob[], late: LedgerJob[]): Promise<Findings> {
  const findings: Findings = { lost: [], doubled: [], disagreeingJobs: 0, all: [] }
  const databases = await openDatabases(stage)
  const queue = [...jobs]
  const judgeNext = async () => {
    for (let job = queue.pop(); job !== undefined; job = queue.pop()) {
      const { lost, doubled, disagreements } = await compareOnceCaughtUp(stage, databases, job)
      if (late.includes(job)) disagreements.push('D1 did not catch up by itself')
      findings.lost.push(...lost)
      findings.doubled.push(...doubled)
      if (disagreements.length > 0) findings.disagreeingJobs++
      const { jobId } = job
      const describe = (what: string, ones: string[]) => ones.map((one) => `${jobId} ${what}: ${one}`)
      findings.all.push(
        ...describe('lost', lost),
        ...describe('doubled', doubled),
        ...describe('disagrees', disagreements),
      )
    }
  }
  await Promise.all(Array.from({ length: 6 }, judgeNext))
  return findings
}

/** Compares a job again before it reports a disagreement: an unanswered report may still be on its way to D1. */
async function compareOnceCaughtUp(stage: Stage, databases: Databases, job: LedgerJob): Promise<Verdict> {
  const deadline = Date.now() + 5_000
  for (;;) {
    const verdict = compareJob(job, await inspectJob(stage, databases, job))
    if (verdict.disagreements.length <= job.complaints.length || Date.now() > deadline) return verdict
    await pause(500)
  }
}
