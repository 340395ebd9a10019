import type { Env } from '../env.ts'

/** What an operator sets about the life of a job. */
export interface Settings {
  /** How long a finished job stays in its object, in ms. */
  archiveAfter: number
  /** A live job is failed after this many days without a report; 0: never. */
  abandonAfterDays: number
  /** How long a finished job stays in D1, in ms; 0: forever. */
  retention: number
  /** UTF-8 bytes of the entries that a job keeps. */
  maxEntryBytes: number
}

export function readSettings(env: Env): Settings {
  return {
    archiveAfter: env.ARCHIVE_AFTER_SECONDS * 1_000,
    abandonAfterDays: env.ABANDONED_AFTER_DAYS,
    maxEntryBytes: env.MAX_ENTRY_BYTES_PER_JOB,
    retention: env.RETENTION_DAYS * 24 * 60 * 60 * 1_000,
  }
}
