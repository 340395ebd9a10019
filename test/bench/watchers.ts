import type { Edge } from '../../scripts/edge.ts'
import type { BenchOrganization } from './bench-organization.ts'

/** Watches a job so many times over. Resolves once each watcher has got its first event. */
export async function watchJob(edge: Edge, org: BenchOrganization, jobId: string, count: number) {
  const end = new AbortController()
  let events = 0
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const headers = org.headers(n)
      const response = await fetch(`${edge.url}/api/jobs/${jobId}/events`, { headers, signal: end.signal })
      const reader = response.body?.getReader()
      if (!response.ok || reader === undefined) throw new Error(`A watcher got ${response.status}`)
      const first = reader.read()
      first
        .then(async () => {
          for (let done = false; !done; events++) done = (await reader.read()).done
        })
        .catch(() => {}) // Aborted, as all of them are in the end.
      await first
    }),
  )
  // From here on: what came while they were connecting says nothing of the pace.
  const startedAt = Date.now()
  events = 0
  return {
    /** Ends them; says how much they were sent. */
    async close(): Promise<string> {
      const seconds = (Date.now() - startedAt) / 1_000
      end.abort()
      return `${(events / count / seconds).toFixed(1)} events a second for each watcher`
    },
  }
}
