/** The commands by which a run injects faults inside its edge. */

/** The binding of a database. */
export type Database = 'DB' | 'DB_2'

/** An organization of the run, and the database that it lives in. */
export interface Tenant {
  organization: string
  database: Database
}

/** One tenant per database. Nobody places the first: `DB` is the default. */
export const TENANTS: readonly [Tenant, Tenant] = [
  { organization: 'chaos', database: 'DB' },
  { organization: 'chaos-2', database: 'DB_2' },
]

/** Commands are posted here. The product has no such path. */
export const COMMANDS_PATH = '/chaos-commands'

export type Command =
  | { do: 'move clock'; by: number }
  | { do: 'inspect'; tenant: Tenant; jobId: string }
  | { do: 'lose storage'; tenant: Tenant; jobId: string; finalReport: FinalReport | null }
  | { do: 'age journal'; tenant: Tenant; jobId: string }
  | { do: 'kill recorder'; database: Database }
  | { do: 'write record'; database: Database; record: OpaqueRecord }

/** A `JobRecord` of the product. The run only passes it on. */
export type OpaqueRecord = Record<string, unknown>

/** The state of a job's object. */
export interface ObjectState {
  /** A new id each time the object is loaded. */
  instance: string
  /** The epoch of the journaled job; null if the journal has no job. */
  epoch: number | null
  /** Whether the journal has changes that it does not know to be in D1. */
  isBehind: boolean
  /** Whether the journal is in the format of version 0.1.0. */
  isOld: boolean
}

/** A report that an object applied just before it lost its storage, `revisions` ahead of D1. */
export interface FinalReport {
  worker: string
  errors: string[]
  revisions: number
}

export type LossOutcome =
  /** `record` is what the object would have written to D1 next. */
  | { ok: true; instance: string; record: OpaqueRecord | null }
  /** `behind`: D1 does not have all of the job yet. */
  | { ok: false; reason: 'not_live' | 'behind' }

/** Not `ok` if the job is not live, or if it was claimed, which version 0.1.0 could not express. */
export type AgeOutcome = { ok: true; instance: string } | { ok: false }

/** The result of each command. */
export interface CommandResults {
  /** The new time, in ms since the epoch. */
  'move clock': number
  inspect: ObjectState
  'lose storage': LossOutcome
  'age journal': AgeOutcome
  /** Whether it was killed. An idle one is not: that would interrupt nothing. */
  'kill recorder': boolean
  /** Whether D1 accepted the record. */
  'write record': { landed: boolean }
}
