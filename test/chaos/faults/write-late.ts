import type { FinalReport, OpaqueRecord } from '../edge-commands.ts'
import { Probe } from '../probe.ts'
import type { ActiveJob, Run } from '../run.ts'
import { until } from '../until.ts'
import { deleteStorage, hasReports, takeOver } from './lose-storage.ts'
import { tryOnActiveJobs } from './try-on-active-jobs.ts'

/** Places the dead instance's revision above those that its successor will soon take. */
const REVISIONS_AHEAD = 3

let dead = 0

/**
 * Deletes an object's storage, and lets one of its records reach D1 late: after the successor loaded the job and acknowledged a
 * report, while it loads the job, before that, or before that and only in part.
 */
export async function writeLate(run: Run, when: 'after' | 'during' | 'before' | 'in part'): Promise<void> {
  await tryOnActiveJobs(run, hasReports, (job) =>
    job.gate.whileClosed(async () => {
      const loss = await deleteStorage(run, job, enterFinalReport(job))
      if (loss === undefined) return false
      const { record } = loss
      if (record === null) throw new Error('the object returned no record')
      switch (when) {
        case 'after':
          await takeOver(run, job)
          await new Probe(run, job.ledger.tenant).report(job.ledger)
          await untilRecorded(run, job)
          await write(run, job, record)
          // Stop reporting on this job: the next report would repair whatever the late record broke in D1.
          job.isOver = true
          break
        case 'during':
          await Promise.all([takeOver(run, job), write(run, job, record)])
          break
        case 'before':
          await write(run, job, record)
          await takeOver(run, job)
          break
        case 'in part':
          await write(run, job, { ...record, unfinished: true })
          await takeOver(run, job)
      }
      return true
    }),
  )
}

/** Enters the dead instance's report into the ledger as unanswered: all of it may be there, or none. */
function enterFinalReport({ ledger }: ActiveJob): FinalReport {
  const worker = `dead-${++dead}`
  const report = { worker, errors: [`${worker}/1/a`, `${worker}/1/b`], revisions: REVISIONS_AHEAD }
  ledger.reports.push({ ...report, n: 1, warnings: [], marked: true, outcome: 'unanswered' })
  return report
}

/** Waits for D1, because the late record can only harm what is already there. */
async function untilRecorded({ stage }: Run, { ledger }: ActiveJob): Promise<void> {
  const { tenant, jobId } = ledger
  await until('D1 has the report that the successor acknowledged', 30_000, async () => {
    const { isBehind } = await stage.command({ do: 'inspect', tenant, jobId })
    return !isBehind
  })
}

async function write({ stage, injected }: Run, { ledger }: ActiveJob, record: OpaqueRecord): Promise<void> {
  const { database } = ledger.tenant
  const { landed } = await stage.command({ do: 'write record', database, record })
  injected.lateWrites++
  if (!landed) injected.fencedWrites++
}
