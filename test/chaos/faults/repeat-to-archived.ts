import { repeatRequest } from '../repeat-request.ts'
import type { Run } from '../run.ts'
import { until } from '../until.ts'

/** How long a finished job may take to leave its object. */
const ARCHIVE_TIMEOUT_MS = 90_000

/** Repeats requests to a job that left its object for D1, which it had answered while it was live. */
export async function repeatToArchived({ stage, finished, random, injected }: Run): Promise<void> {
  await until('a finished job has left its object', ARCHIVE_TIMEOUT_MS, async () => {
    const job = finished[Math.floor(random() * finished.length)]
    if (job === undefined) return false
    const { tenant, jobId } = job.ledger
    const { epoch } = await stage.command({ do: 'inspect', tenant, jobId })
    if (epoch !== null) return false
    for (const request of job.answered) {
      await repeatRequest(stage, job.ledger, request)
      injected.archivedRetries++
    }
    injected.archivedJobs++
    return true
  })
}
