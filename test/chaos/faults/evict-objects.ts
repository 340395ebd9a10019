import type { Run } from '../run.ts'

/** How many objects to try before giving up on evicting one: most of the recent jobs may be busy, or out of memory. */
const MOST_TRIED = 50

/** Evicts up to `most` objects of recent jobs from memory, and at least one if it can. */
export async function evictObjects({ stage, jobs, random, injected }: Run, most: number): Promise<void> {
  const live = jobs.slice(-50)
  const before = injected.evictions
  const needsMore = (tried: number) => tried < most || (injected.evictions === before && tried < MOST_TRIED)
  for (let tried = 0; needsMore(tried); tried++) {
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
