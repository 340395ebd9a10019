import { repeatRequest } from '../repeat-request.ts'
import type { Run } from '../run.ts'
import { until } from '../until.ts'

/** How long it may take until a finished job has left its object, in ms. */
const PATIENCE = 90_000

/** Repeats requests that a job answered while it was live, once it has left its object for D1. */
export async function repeatToArchived({ stage, finished, random, injected }: Run): Promise<void> {
  await until('a finished job has left its object', PATIENCE, async () => {
    const job = finished[Math.floor(random() * finished.length)]
    if (job === undefined) return false
    const { jobId, complaints } = job.ledger
    const { epoch } = await stage.order({ do: 'look', jobId })
    if (epoch !== null) return false
    for (const request of job.answered) {
      await repeatRequest(stage, request, (complaint) => complaints.push(complaint))
      injected.archivedRetries++
    }
    injected.archivedJobs++
    return true
  })
}
