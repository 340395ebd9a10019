import type { V4WorkerOptions } from 'miniflare'
import { sendEach } from '../load/send-each.ts'
import { benchWorker, openWorker } from '../servers/open-worker.ts'
import { type Contender, type EachNew, leadInOf, plainReports, type Spread } from './contender.ts'

const objects = (className: string): Partial<V4WorkerOptions> => ({
  durableObjects: { OBJECTS: { className, useSQLite: true } },
})

/** Each floor does what the one above it does, and one thing more. */
const FLOORS = {
  'bare Worker': { file: 'floor-bare.ts', options: {} },
  'Hono and zod': { file: 'floor-hono.ts', options: {} },
  'an object call': { file: 'floor-objects.ts', options: objects('CallObject') },
  'a write': { file: 'floor-objects.ts', options: objects('WriteObject') },
  'grouped writes': { file: 'floor-objects.ts', options: objects('GroupedObject') },
} as const

/** A floor that is reported to, or with `method` GET is asked for the job. */
export function floor(
  name: keyof typeof FLOORS,
  spread: Spread | EachNew,
  method: 'GET' | 'POST' = 'POST',
): Contender {
  const { file, options } = FLOORS[name]
  const suffix = method === 'GET' ? ', read' : spread.jobs === 'each new' ? ', each to a new object' : ''
  return {
    name: name + suffix,
    leadIn: leadInOf(spread),
    async open({ folder, runtimes }) {
      const state = await folder()
      const server = await openWorker(await benchWorker(file, options), { state, runtimes })
      const load = plainReports(server.url, spread)
      await sendEach(load)
      if (method === 'POST') return { ...server, load }
      const { body: _, ...read } = load
      return { ...server, load: { ...read, method, paths: ['/api/jobs/job-0'] } }
    },
  }
}
