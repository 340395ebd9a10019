import type { Run } from '../run.ts'

/** Evicts up to `most` objects of recent jobs from memory. */
export async function evictObjects({ stage, jobs, random, injected }: Run, most: number): Promise<void> {
  const live = jobs.slice(-50)
  for (let index = 0; index < most; index++) {
    const job = live[Math.floor(random() * live.length)]
    if (job === undefined) return
    const name = `${job.tenant.organization}/${job.jobId}`
    try {
      await stage.edge.miniflare.unsafeEvictDurableObject('milepost', 'JobObject', { name })
      injected.evictions++
    } catch (error) {
      // The runtime gives up on evicting a busy object after a while.
      if (!/not currently running|active references/.test(String(error))) throw error
    }
  }
}
