import type { ActiveJob, Run } from '../run.ts'
import { until } from '../until.ts'

/** How long it may take to find a suitable job. */
const TIMEOUT_MS = 60_000

/**
 * Tries a fault on random active jobs until it takes effect on one. `isFit` tells whether to try a job, and `fault` returns
 * whether it took effect.
 */
export async function tryOnActiveJobs(
  { active, random }: Run,
  isFit: (job: ActiveJob) => boolean,
  fault: (job: ActiveJob) => Promise<boolean>,
): Promise<void> {
  await until('the fault takes effect on a job', TIMEOUT_MS, async () => {
    const fit = [...active].filter((job) => !job.isOver && isFit(job))
    const job = fit[Math.floor(random() * fit.length)]
    return job !== undefined && (await fault(job))
  })
}
