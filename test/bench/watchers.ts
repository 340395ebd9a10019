import type { Edge } from '../../scripts/edge.ts'
import type { BenchOrganization } from './bench-organization.ts'

/** Opens `count` watchers of a job. Resolves once each has received its first event. */
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
        .catch(() => {}) // close() aborts it.
      await first
    }),
  )
  // Start counting now: events during the connects say nothing about the pace.
  const startedAt = Date.now()
  events = 0
  return {
    /** Disconnects all watchers and describes how many events they received. */
    async close(): Promise<string> {
      const seconds = (Date.now() - startedAt) / 1_000
      end.abort()
      return `${(events / count / seconds).toFixed(1)} events per second for each watcher`
    },
  }
}
