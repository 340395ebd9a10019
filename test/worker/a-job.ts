import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobReply } from '../../src/job-object/replies.ts'
import type { Report, ReportedEntry } from '../../src/jobs/apply-report.ts'
import type { NewJob } from '../../src/jobs/create-job.ts'
import type { JobKey, JobSnapshot } from '../../src/jobs/job.ts'
import { jobIdOf } from '../../src/jobs/job-id.ts'
import type { KeyedRequest } from '../../src/jobs/keyed-request.ts'
import { type JobAddress, UNPLACED } from '../../src/jobs/placement.ts'
import { shownTexts } from '../../src/jobs/recent-entries.ts'
import { findJob, findRecent } from '../../src/store/find-job.ts'
import { openStore } from '../../src/store/store.ts'

export const store = openStore(env.DB)

/** A job of an organization of its own, which is in the first database. */
export function aJobKey(): JobAddress {
  return {
    organizationId: `org_${crypto.randomUUID()}`,
    jobId: jobIdOf(crypto.randomUUID()),
    placement: UNPLACED,
  }
}

export const anOrder: NewJob = {
  jobType: 'import',
  totalItems: 100,
  metadata: { source: 'sftp' },
  triggeredBy: null,
  stallAfterSeconds: null,
  callbackUrl: null,
}

export function anError(entityKey: string): ReportedEntry {
  return { entityKey, entityType: 'product', errorType: 'bad_row', message: 'no', step: null, details: null }
}

export async function createdJob(order: NewJob = anOrder): Promise<JobAddress> {
  const key = aJobKey()
  acknowledged(await jobObject(env.JOBS, key).create(key, order, null))
  return key
}

export async function reported(
  key: JobAddress,
  report: Report,
  request: KeyedRequest | null = null,
): Promise<JobSnapshot> {
  return acknowledged(await jobObject(env.JOBS, key).report(key, report, request))
}

export async function readJob(key: JobAddress): Promise<JobSnapshot> {
  return acknowledged(await jobObject(env.JOBS, key).read(key))
}

/** The job as D1 has it. */
export async function recordedJob(key: JobKey): Promise<JobSnapshot | undefined> {
  const job = await findJob(store, key)
  return job && { job, ...shownTexts(await findRecent(store, key, job)) }
}

/** Looks at the object's own storage from inside. */
export function inside<Result>(
  key: JobKey,
  look: (storage: DurableObjectStorage) => Result | Promise<Result>,
): Promise<Result> {
  const stub: DurableObjectStub = jobObject(env.JOBS, key)
  return runInDurableObject(stub, (_: DurableObject, { storage }) => look(storage))
}

export function keysOf(entryTexts: string[]): string[] {
  return entryTexts.map((text) => JSON.parse(text).entity_key)
}

function acknowledged(reply: JobReply): JobSnapshot {
  if (!reply.ok) throw new Error(`refused: ${reply.reason}`)
  const { job, errors, warnings } = reply
  return { job, errors, warnings }
}
