import type { LastWords, PassedRecord } from '../orders.ts'
import { Probe } from '../probe.ts'
import type { Run, WorkedJob } from '../run.ts'
import { until } from '../until.ts'
import { deleteStorage, hasReports, takeOver } from './lose-storage.ts'
import { tryOnWorkedJobs } from './try-on-worked-jobs.ts'

/** The successor soon takes revisions of its own: the dead instance's is to be above those. */
const REVISIONS_AHEAD = 3

let dead = 0

/**
 * An object loses its storage, and a record that it had under way reaches D1 late: after its successor took the job over
 * and acknowledged a report, during the take-over, before it, or before it and only in part.
 */
export async function writeLate(run: Run, when: 'after' | 'during' | 'before' | 'in part'): Promise<void> {
  await tryOnWorkedJobs(run, hasReports, (job) =>
    job.standstill.during(async () => {
      const loss = await deleteStorage(run, job, enterLastWords(job))
      if (loss === undefined) return false
      const { record } = loss
      if (record === null) throw new Error('there is no record to write')
      switch (when) {
        case 'after':
          await takeOver(run, job)
          await new Probe(run).report(job.ledger)
          await untilRecorded(run, job)
          await write(run, record)
          // Nobody reports on it any more: the next report would repair in D1 whatever the late record broke.
          job.isOver = true
          break
        case 'during':
          await Promise.all([takeOver(run, job), write(run, record)])
          break
        case 'before':
          await write(run, record)
          await takeOver(run, job)
          break
        case 'in part':
          await write(run, { ...record, unfinished: true })
          await takeOver(run, job)
      }
      return true
    }),
  )
}

/** In the ledger, this is a report that was never answered: it may be there whole, or not at all. */
function enterLastWords({ ledger }: WorkedJob): LastWords {
  const worker = `dead-${++dead}`
  const words = { worker, errors: [`${worker}/1/a`, `${worker}/1/b`], revisions: REVISIONS_AHEAD }
  ledger.reports.push({ ...words, n: 1, warnings: [], marked: true, outcome: 'unanswered' })
  return words
}

/** Only what D1 already has can be harmed by the late record. */
async function untilRecorded({ stage }: Run, { ledger }: WorkedJob): Promise<void> {
  const { jobId } = ledger
  await until('D1 has what a successor acknowledged', 30_000, async () => {
    const { isBehind } = await stage.order({ do: 'look', jobId })
    return !isBehind
  })
}

async function write({ stage, injected }: Run, record: PassedRecord): Promise<void> {
  const { landed } = await stage.order({ do: 'record', record })
  injected.lateWrites++
  if (!landed) injected.fencedWrites++
}
