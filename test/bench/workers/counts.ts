/** What the product asked of the runtime. */
export interface Counts {
  /** Calls to objects, by binding. */
  objectCalls: Record<string, number>
  /** Rows that objects wrote into their own storage. An alarm that is set is one. */
  objectRows: number
  /** Bytes of the values in them. */
  objectBytes: number
  /** Calls to D1: batches, and statements outside of one. */
  d1Calls: number
  d1Statements: number
  d1Rows: number
  /** Bytes of the values sent to D1. */
  d1Bytes: number
}

/** The path at which a counted Worker answers its counts, and forgets them if the method is DELETE. */
export const COUNTS_PATH = '/bench/counts'

export function noCounts(): Counts {
  return {
    objectCalls: {},
    objectRows: 0,
    objectBytes: 0,
    d1Calls: 0,
    d1Statements: 0,
    d1Rows: 0,
    d1Bytes: 0,
  }
}
