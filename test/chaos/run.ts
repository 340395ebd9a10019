import type { EdgeClock } from './edge-clock.ts'
import type { Database } from './edge-commands.ts'
import type { LedgerJob } from './ledger.ts'
import type { PauseGate } from './pause-gate.ts'
import type { Stage } from './stage.ts'
import type { AnsweredRequest, Replays } from './unreliable-fetch.ts'

/** What the workers, the readers and the faults of a run share. */
export interface Run {
  stage: Stage
  clock: EdgeClock
  random: () => number
  /** All jobs whose create was acknowledged. */
  jobs: LedgerJob[]
  /** The jobs that workers are reporting on. */
  active: Set<ActiveJob>
  /** The jobs that finished most recently. */
  finished: ActiveJob[]
  injected: Injected
  injectedInto: Record<Database, InjectedInto>
  recordedMeanwhile: RecordedMeanwhile
  replays: Replays
  acknowledged: number
  /** Wrong answers that belong to no job in the ledger. Each one fails the run. */
  complaints: string[]
  isOver: () => boolean
}

export interface ActiveJob {
  ledger: LedgerJob
  /** Reports left to send. */
  left: number
  /** Finished or left open; either way its workers move on to the next job. */
  isOver: boolean
  gate: PauseGate
  /** Requests that were answered with 200, the create first. A repeat must get the same answer. */
  answered: AnsweredRequest[]
}

/** How many faults were injected. A fault counts only if its effect was observed. */
export interface Injected {
  /** Runtimes killed with requests in flight. */
  kills: number
  /** Locks during which the clock advanced by hours and reports were still acknowledged. */
  longOutages: number
  /** The total of those hours. */
  outageHours: number
  /** Objects evicted from memory, with their storage kept. */
  evictions: number
  /** Times the whole edge was closed and reopened. */
  restarts: number
  /** Objects that lost their storage and whose successors loaded the job from D1. */
  lostStorages: number
  /** Records of dead instances that arrived late. */
  lateWrites: number
  /** Late writes that D1 rejected. */
  fencedWrites: number
  /** Journals rewritten in the format of version 0.1.0 and upgraded by the next instance. */
  oldJournals: number
  /** Retries, after such an upgrade, of earlier requests. */
  oldRetries: number
  /** Jobs that had left their objects for D1. */
  archivedJobs: number
  /** Retries of earlier requests on such jobs. */
  archivedRetries: number
  /** Times the clock was moved forward by minutes, as seen in a new job. */
  clockMovedOn: number
  /** Times the clock was moved back by minutes, as seen in a new job. */
  clockSetBack: number
  /** Times Stytch was down and sessions could not be checked. */
  stytchOutages: number
}

/** How many faults of one database were injected. */
export interface InjectedInto {
  /** Locks during which statuses changed and none of the changes reached the database. */
  locks: number
  /** Locks during which the other database recorded its jobs. */
  locksAlone: number
  /** Recorders killed with records under way. */
  recorderKills: number
}

/** What one database recorded while the other was locked, and how long that took at most after the reply, in ms. */
interface RecordedMeanwhile {
  statuses: number
  statusMs: number
  entries: number
  reportsMs: number
}

export const NOTHING_INJECTED: Injected = {
  kills: 0,
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
