import { ORGANIZATION } from '../orders.ts'
import type { Run } from '../run.ts'

/** Puts some of the jobs that are being reported on out of memory. */
export async function evictObjects({ stage, jobs, random, injected }: Run, most: number): Promise<void> {
  const live = jobs.slice(-50)
  for (let index = 0; index < most; index++) {
    const job = live[Math.floor(random() * live.length)]
    if (job === undefined) return
    const name = `${ORGANIZATION}/${job.jobId}`
    try {
      await stage.edge.miniflare.unsafeEvictDurableObject('milepost', 'JobObject', { name })
      injected.evictions++
    } catch (error) {
      // An object with something under way is left where it is, after a while.
      if (!/not currently running|active references/.test(String(error))) throw error
    }
  }
}
