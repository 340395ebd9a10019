import type { RuntimeWatch } from '../../../scripts/watch-runtimes.ts'
import type { Load } from '../load/load.ts'
import type { Mileposts } from '../servers/open-milepost.ts'

/** Something to measure: Milepost, a floor or an alternative, and the requests that it gets. */
export interface Contender {
  name: string
  /** How long to send before a measurement, as a share of the measurement. */
  leadIn: number
  open: (workshop: Workshop) => Promise<Opened>
}

/** A contender that is up. */
export interface Opened {
  load: Omit<Load, 'leadIn' | 'seconds'>
  /** The processes that do its work. */
  pids: number[]
  dispose: () => Promise<void>
}

/** What contenders are made with. */
export interface Workshop {
  mileposts: Mileposts
  runtimes: RuntimeWatch
  /** A new folder. */
  folder: () => Promise<string>
}

/** On how many jobs a contender is reported, and by how many connections. */
export interface Spread {
  jobs: number
  connections: number
}

/** For a floor: each report is the first one of its job. */
export type EachNew = { jobs: 'each new'; connections: number }

/** The lead-in. Where there are many jobs, what is written in the background needs longer to find its pace. */
export function leadInOf({ jobs }: Spread | EachNew): number {
  return jobs !== 'each new' && jobs > 1 ? 1 : 0.2
}

/** A report as workers send it. `{n}` becomes a new number in each. */
export const REPORT = '{"stage":"uploading","processed_items":{n}}'

/** Reports on `job-0`, `job-1`, … of a floor or an alternative. */
export function plainReports(url: string, { jobs, connections }: Spread | EachNew): Opened['load'] {
  const names = jobs === 'each new' ? ['new-{n}'] : Array.from({ length: jobs }, (_, n) => `job-${n}`)
  return {
    url,
    method: 'POST',
    paths: names.map((name) => `/api/jobs/${name}/progress`),
    headers: { 'Content-Type': 'application/json' },
    body: REPORT,
    connections,
  }
}
