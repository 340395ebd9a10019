import type { Run, WorkedJob } from '../run.ts'
import { until } from '../until.ts'

/** How long it may take to find a job that will do, in ms. */
const PATIENCE = 60_000

/**
 * Tries a fault on random jobs among those being reported on, until one takes it. `isFit` says whether a job is worth
 * trying; `fault` whether it took the fault.
 */
export async function tryOnWorkedJobs(
  { worked, random }: Run,
  isFit: (job: WorkedJob) => boolean,
  fault: (job: WorkedJob) => Promise<boolean>,
): Promise<void> {
  await until('a job takes the fault', PATIENCE, async () => {
    const fit = [...worked].filter((job) => !job.isOver && isFit(job))
    const job = fit[Math.floor(random() * fit.length)]
    return job !== undefined && (await fault(job))
  })
}
