import type { JobKey } from './job.ts'

/** Which database has the jobs of an organization. */
export interface Placement {
  /** The name of a binding: `DB`, `DB_2`, … */
  database: string
  /** Grows each time the organization moves. Of two placements, the one with the higher version counts. */
  version: number
}

/** A job, and where its organization lives according to the caller's credential. */
export interface JobAddress extends JobKey {
  placement: Placement
}

/** The placement of an organization that the directory does not name. */
export const UNPLACED: Placement = { database: 'DB', version: 0 }
