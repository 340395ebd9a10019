/** A thread in which some callers send requests as fast as they are answered, until the time is up. */
import { workerData } from 'node:worker_threads'
import type { Request } from './load.ts'

export interface CallerThread {
  url: string
  callers: number
  /** In ms. */
  lasts: number
  /** Each caller sends them in turn; `{n}` in a path is another number each time. */
  requests: Request[]
}

const { url, callers, lasts, requests }: CallerThread = workerData
const end = Date.now() + lasts
let n = 0

await Promise.all(
  Array.from({ length: callers }, async (_, caller) => {
    for (let turn = caller; Date.now() < end; turn++) {
      const { path, ...request } = requests[turn % requests.length] as Request
      const signal = AbortSignal.timeout(Math.max(1, end - Date.now()))
      // Whatever it is answered: an unknown id is not found, and rightly.
      await fetch(url + path.replace('{n}', String(++n)), { ...request, signal })
        .then((response) => response.arrayBuffer())
        .catch(() => {})
    }
  }),
)
