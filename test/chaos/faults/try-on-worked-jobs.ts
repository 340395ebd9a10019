import type { Run, WorkedJob } from '../run.ts'
import { until } from '../until.ts'

/** How long it may take to find a job that will do, in ms. */
const PATIENCE = 60_000

/**
 * Tries a fault on jobs that are being reported on, one after the other in random order, until one takes it. `isFit` says
 * of a job whether to try; `fault` whether the job took it.
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
