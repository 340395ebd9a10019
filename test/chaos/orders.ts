/** What the run and its edge say to each other. */

export const ORGANIZATION = 'chaos'

/** Orders are posted here: a path that the product does not have. */
export const ORDERS_PATH = '/chaos-orders'

export type Order =
  | { do: 'move clock'; by: number }
  | { do: 'look'; jobId: string }
  | { do: 'lose storage'; jobId: string; lastWords: LastWords | null }
  | { do: 'age journal'; jobId: string }
  | { do: 'record'; record: PassedRecord }

/** A `JobRecord` of the product, which the run only passes on. */
export type PassedRecord = Record<string, unknown>

/** What is in the memory and the storage of a job's object. */
export interface Sight {
  /** Another one for each time that the object enters memory. */
  instance: string
  /** Of the job in its journal; null where there is none. */
  epoch: number | null
  /** D1 lacks something of it, as far as the journal knows. */
  isBehind: boolean
  /** The journal is in the form of version 0.1.0. */
  isOld: boolean
}

/** A report that an object applied just before its end, so many revisions after those that D1 has. */
export interface LastWords {
  worker: string
  errors: string[]
  revisions: number
}

export type LossOutcome =
  /** `record`: what would have been written to D1 next. */
  | { ok: true; instance: string; record: PassedRecord | null }
  /** `behind`: D1 lacks something of it. */
  | { ok: false; reason: 'not_live' | 'behind' }

/** Not `ok`: its job is not live, or is claimed, which version 0.1.0 knew nothing of. */
export type AgeOutcome = { ok: true; instance: string } | { ok: false }

/** What each order is answered. */
export interface Outcomes {
  /** What the clock shows then, in ms since the epoch. */
  'move clock': number
  look: Sight
  'lose storage': LossOutcome
  'age journal': AgeOutcome
  /** Whether D1 took it. */
  record: { landed: boolean }
}
