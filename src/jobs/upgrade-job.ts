import type { Job } from './job.ts'

/** The fields that earlier versions did not store. */
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

/** A job as any version may have stored it. */
export type StoredJob = Omit<Job, keyof typeof DEFAULTS> & Partial<Job>

/**
 * The job in the form of this version. A field added to `Job` needs its default here. An unknown field, stored by a
 * newer version before a rollback, is kept.
 */
export function upgradeJob(stored: StoredJob): Job {
  return { ...DEFAULTS, ...stored }
}
