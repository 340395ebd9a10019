import type { Job } from './job.ts'

/** What a job lacks that was stored by a version that did not have the field yet. */
const DEFAULTS = {
  attempts: [],
  callbackUrl: null,
  createFingerprint: null,
  entitiesNotKept: 0,
  entityBytes: 0,
  epoch: 0,
  keptEntities: 0,
  nextDeliveryAt: null,
  pace: [],
  stages: [],
  stallAfterSeconds: null,
  stalledAt: null,
} satisfies Partial<Job>

/** A job as any earlier version stored it. */
export type StoredJob = Omit<Job, keyof typeof DEFAULTS> & Partial<Job>

/**
 * The job as this version has it. A field that is added to `Job` gets its default here; one that this version does not
 * know, stored by a newer one before a rollback, is kept.
 */
export function upgradeJob(stored: StoredJob): Job {
  return { ...DEFAULTS, ...stored }
}
