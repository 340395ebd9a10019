/** A thread whose callers send requests as fast as they are answered, until the time is up. */
import { workerData } from 'node:worker_threads'
import type { Request } from '../bench-organization.ts'

export interface CallerThread {
  url: string
  callers: number
  /** How long to send, in ms. */
  duration: number
  /** Each caller sends these in turn. `{n}` in a path becomes a new number each time. */
  requests: Request[]
}

const { url, callers, duration, requests }: CallerThread = workerData
const end = Date.now() + duration
let n = 0

await Promise.all(
  Array.from({ length: callers }, async (_, caller) => {
    for (let turn = caller; Date.now() < end; turn++) {
      const { path, ...request } = requests[turn % requests.length] as Request
      const signal = AbortSignal.timeout(Math.max(1, end - Date.now()))
      // Any status will do: unknown ids are correctly 404.
      await fetch(url + path.replace('{n}', String(++n)), { ...request, signal })
        .then((response) => response.arrayBuffer())
        .catch(() => {})
    }
  }),
)
