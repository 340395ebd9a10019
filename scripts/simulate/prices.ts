/**
 * What Cloudflare charges, in dollars, beyond what a plan includes. Workers Paid, as read on 2026-11-27 at
 * developers.cloudflare.com/{workers,durable-objects,d1}/platform/pricing.
 */
export const PRICES = {
  /** For a million of each. */
  workerRequests: 0.3,
  workerCpuMs: 0.02,
  /** Calls of an object and runs of its alarm. */
  objectRequests: 0.15,
  objectRowsWritten: 1,
  d1RowsWritten: 1,
  d1RowsRead: 0.001,
  /** For a million GB-seconds. An object counts as `OBJECT_GB` while it is active or cannot hibernate. */
  objectGbSeconds: 12.5,
  /** For a GB in a month. */
  objectStorage: 0.2,
  d1Storage: 0.75,
}

export const OBJECT_GB = 0.128
/** What one D1 database holds. */
export const DATABASE_GB = 10
