import type { EdgeClock } from './edge-clock.ts'
import type { LedgerJob } from './ledger.ts'
import type { Stage } from './stage.ts'
import type { Standstill } from './standstill.ts'
import type { AnsweredRequest, Replays } from './unreliable-fetch.ts'

/** What the workers, the readers and the faults of a run share. */
export interface Run {
  stage: Stage
  clock: EdgeClock
  random: () => number
  /** All jobs whose create was acknowledged. */
  jobs: LedgerJob[]
  /** Of them, those that workers are reporting on. */
  worked: Set<WorkedJob>
  /** Those that were finished last. */
  finished: WorkedJob[]
  injected: Injected
  replays: Replays
  acknowledged: number
  /** What was wrong with answers that belong to no job of the ledger. Each makes the run fail. */
  complaints: string[]
  isOver: () => boolean
}

export interface WorkedJob {
  ledger: LedgerJob
  /** Reports left to send. */
  left: number
  /** It was ended, or is left open: its workers go on to the next. */
  isOver: boolean
  standstill: Standstill
  /** Requests that were answered 200, the create among them: sent again, each is answered the same. */
  answered: AnsweredRequest[]
}

/** Faults that were really injected; none is counted whose effect was not seen. */
export interface Injected {
  /** Runtimes that were killed with requests under way, and are gone. */
  kills: number
  /** Times that D1 was held while statuses changed, and really had none of it until it was let go. */
  locks: number
  /** Of them, those during which the clock moved on by hours and reports were acknowledged all the same, … */
  longOutages: number
  /** … and those hours, together. */
  outageHours: number
  /** Objects that were put out of memory, their storage kept. */
  evictions: number
  /** Times that the whole edge was closed and opened again. */
  restarts: number
  /** Objects whose storage was lost, and whose successors took their jobs over from D1. */
  lostStorages: number
  /** Records of dead instances that came late, … */
  lateWrites: number
  /** … and those of them that D1 did not take. */
  fencedWrites: number
  /** Journals that were put into the form of version 0.1.0, and upgraded by the next instance, … */
  oldJournals: number
  /** … and retries of reports from before that. */
  oldRetries: number
  /** Jobs that were found to have left their objects for D1, and retries of reports from before that. */
  archivedJobs: number
  archivedRetries: number
  /** Times that the clock was moved on, and back, by minutes, as seen in a job that was created then. */
  clockMovedOn: number
  clockSetBack: number
  /** Times that Stytch was down, so that a session could not be checked. */
  stytchOutages: number
}

export const NOTHING_INJECTED: Injected = {
  kills: 0,
  locks: 0,
  longOutages: 0,
  outageHours: 0,
  evictions: 0,
  restarts: 0,
  lostStorages: 0,
  lateWrites: 0,
  fencedWrites: 0,
  oldJournals: 0,
  oldRetries: 0,
  archivedJobs: 0,
  archivedRetries: 0,
  clockMovedOn: 0,
  clockSetBack: 0,
  stytchOutages: 0,
}
