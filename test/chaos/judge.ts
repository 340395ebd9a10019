import { setTimeout as pause } from 'node:timers/promises'
import { compareJob } from './compare-job.ts'
import { countAcknowledged, type LedgerJob, possibleStatuses, type Verdict } from './ledger.ts'
import { countRecorded, type D1, lookAtJob } from './look-at-job.ts'
import type { Stage } from './stage.ts'

/** How long D1 may be behind once everything is quiet, in ms. */
const CATCH_UP = 60_000

/** The jobs of which D1 lacks something that was acknowledged. It is asked alone: no job's object hears of it. */
export async function findBehind(stage: Stage, jobs: LedgerJob[]): Promise<LedgerJob[]> {
  const recorded = await countRecorded(await stage.edge.d1())
  return jobs.filter((job) => {
    const counts = recorded.get(job.jobId)
    if (counts === undefined) return true
    const { errors, warnings } = countAcknowledged(job)
    const statuses = possibleStatuses(job, counts.error > 0, counts.warning > 0)
    return counts.error < errors || counts.warning < warnings || !statuses.includes(counts.status)
  })
}

/** Waits until D1 has caught up by itself; the jobs that it has not. */
export async function waitForD1(stage: Stage, jobs: LedgerJob[]): Promise<LedgerJob[]> {
  const deadline = Date.now() + CATCH_UP
  for (;;) {
    const behind = await findBehind(stage, jobs)
    if (behind.length === 0 || Date.now() > deadline) return behind
    await pause(500)
  }
}

export type Findings = Omit<Verdict, 'disagreements'> & { disagreeingJobs: number; all: string[] }

/** Holds each job against the ledger. `late`: those that D1 did not catch up with by itself. */
export async function judge(stage: Stage, jobs: LedgerJob[], late: LedgerJob[]): Promise<Findings> {
  const findings: Findings = { lost: [], doubled: [], disagreeingJobs: 0, all: [] }
  const d1 = await stage.edge.d1()
  const left = [...jobs]
  const judgeNext = async () => {
    for (let job = left.pop(); job !== undefined; job = left.pop()) {
      const { lost, doubled, disagreements } = await compareWhenLevel(stage, d1, job)
      if (late.includes(job)) disagreements.push('D1 did not catch up by itself')
      findings.lost.push(...lost)
      findings.doubled.push(...doubled)
      if (disagreements.length > 0) findings.disagreeingJobs++
      const { jobId } = job
      const tell = (what: string, ones: string[]) => ones.map((one) => `${jobId} ${what}: ${one}`)
      findings.all.push(
        ...tell('lost', lost),
        ...tell('doubled', doubled),
        ...tell('disagrees', disagreements),
      )
    }
  }
  await Promise.all(Array.from({ length: 6 }, judgeNext))
  return findings
}

/** What nobody was answered for may be on its way to D1 still: a job is looked at again before it is said to disagree. */
async function compareWhenLevel(stage: Stage, d1: D1, job: LedgerJob): Promise<Verdict> {
  const deadline = Date.now() + 5_000
  for (;;) {
    const verdict = compareJob(job, await lookAtJob(stage, d1, job.jobId))
    if (verdict.disagreements.length <= job.complaints.length || Date.now() > deadline) return verdict
    await pause(500)
  }
}
