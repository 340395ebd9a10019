import { FaultError } from '../fault-error.ts'
import { repeatRequest } from '../repeat-request.ts'
import type { Run, WorkedJob } from '../run.ts'
import { seeSuccessor } from './see-successor.ts'
import { tryOnWorkedJobs } from './try-on-worked-jobs.ts'

/** The create, and reports of several workers. */
const FEWEST_REQUESTS = 4

/**
 * Puts the journal of an object into the form of version 0.1.0 and the object out of memory, as if it had slept through
 * the deploy; then repeats requests that it answered before.
 */
export async function ageJournal(run: Run): Promise<void> {
  const isFit = ({ answered }: WorkedJob) => answered.length >= FEWEST_REQUESTS
  await tryOnWorkedJobs(run, isFit, async ({ ledger, answered }) => {
    const { stage, injected } = run
    const { jobId } = ledger
    const earlier = [...answered]
    const aged = await stage.order({ do: 'age journal', jobId })
    if (!aged.ok) return false
    const { isOld, epoch } = await seeSuccessor(stage, jobId, aged.instance)
    if (isOld || epoch === null) throw new FaultError(`The old journal of ${jobId} was not upgraded`)
    injected.oldJournals++
    for (const request of earlier) {
      await repeatRequest(stage, request, (complaint) => ledger.complaints.push(complaint))
      injected.oldRetries++
    }
    return true
  })
}
