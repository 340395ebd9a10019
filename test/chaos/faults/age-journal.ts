import { TENANTS } from '../edge-commands.ts'
import { FaultError } from '../fault-error.ts'
import { repeatRequest } from '../repeat-request.ts'
import type { ActiveJob, Run } from '../run.ts'
import { inspectSuccessor } from './inspect-successor.ts'
import { tryOnActiveJobs } from './try-on-active-jobs.ts'

/** Enough for the create and a few reports. */
const FEWEST_REQUESTS = 4

/**
 * Rewrites the journal of an object in the format of version 0.1.0 and evicts the object, as if it had been idle during the
 * deploy. Then repeats requests that the object answered before. That version knew only `DB`.
 */
export async function ageJournal(run: Run): Promise<void> {
  const isFit = ({ ledger, answered }: ActiveJob) =>
    ledger.tenant === TENANTS[0] && answered.length >= FEWEST_REQUESTS
  await tryOnActiveJobs(run, isFit, async ({ ledger, answered }) => {
    const { stage, injected } = run
    const { tenant, jobId } = ledger
    const earlier = [...answered]
    const aged = await stage.command({ do: 'age journal', tenant, jobId })
    if (!aged.ok) return false
    const { isOld, epoch } = await inspectSuccessor(stage, ledger, aged.instance)
    if (isOld || epoch === null) throw new FaultError(`The old journal of ${jobId} was not upgraded`)
    injected.oldJournals++
    for (const request of earlier) {
      await repeatRequest(stage, ledger, request)
      injected.oldRetries++
    }
    return true
  })
}
