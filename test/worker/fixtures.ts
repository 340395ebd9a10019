import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import { Journal } from '../../src/job-object/journal.ts'
import type { JobReply } from '../../src/job-object/replies.ts'
import { RECORD_DELAY } from '../../src/job-object/schedule.ts'
import type { NewJob } from '../../src/jobs/create-job.ts'
import type { JobKey, JobSnapshot, Report, ReportedEntry } from '../../src/jobs/job.ts'
import { jobIdOf } from '../../src/jobs/job-id.ts'
import type { KeyedRequest } from '../../src/jobs/keyed-request.ts'
import { type JobAddress, UNPLACED } from '../../src/jobs/placement.ts'
import { shownTexts } from '../../src/jobs/recent-entries.ts'
import { findJob, findRecent } from '../../src/store/find-job.ts'
import { openStore } from '../../src/store/store.ts'

export const store = openStore(env.DB)

/** In ms. A finished job stays in its object this long: see `vitest.config.ts`. */
export const HOUR = 60 * 60 * 1_000

/** The key of a job that does not exist, in a new organization, which lives in `DB`. */
export function aJobKey(): JobAddress {
  return {
    organizationId: `org_${crypto.randomUUID()}`,
    jobId: jobIdOf(crypto.randomUUID()),
    placement: UNPLACED,
  }
}

export const aNewJob: NewJob = {
  jobType: 'import',
  totalItems: 100,
  metadata: { source: 'sftp' },
  labels: {},
  parentJobId: null,
  triggeredBy: null,
  stallAfterSeconds: null,
  startWithinSeconds: null,
  finishWithinSeconds: null,
  callbackUrl: null,
}

export function anError(entityKey: string): ReportedEntry {
  return { entityKey, entityType: 'product', errorType: 'bad_row', message: 'no', step: null, details: null }
}

export function aKeyedRequest(key = 'k', fingerprint = 'the body'): KeyedRequest {
  return { key, fingerprint }
}

/** A pending job that its object and D1 have. */
export async function createdJob(newJob: NewJob = aNewJob): Promise<JobAddress> {
  const key = aJobKey()
  acknowledged(await jobObject(env.JOBS, key).create(key, newJob, null))
  return key
}

/** A job in progress that its object and D1 have. */
export async function startedJob(newJob: NewJob = aNewJob): Promise<JobAddress> {
  const key = await createdJob(newJob)
  await reported(key, { markStarted: true })
  return key
}

/** Reports on a job, and returns the job after it. Throws if the report is refused. */
export async function reported(
  key: JobAddress,
  report: Report,
  request: KeyedRequest | null = null,
): Promise<JobSnapshot> {
  acknowledged(await jobObject(env.JOBS, key).report(key, report, request))
  return await heldJob(key)
}

/** The job as its object holds it, once it has been read from there. Throws if that is refused. */
export async function readJob(key: JobAddress): Promise<JobSnapshot> {
  acknowledged(await jobObject(env.JOBS, key).read(key))
  return await heldJob(key)
}

/** The job in the journal, or in D1 if it has left. */
async function heldJob(key: JobAddress): Promise<JobSnapshot> {
  const journaled = await inside(key, (storage) => new Journal(storage).load())
  const held = journaled && { job: journaled.job, ...shownTexts(journaled.recent) }
  const snapshot = held ?? (await recordedJob(key))
  if (snapshot === undefined) throw new Error('neither the object nor D1 has the job')
  return snapshot
}

/** The job as D1 has it. */
export async function recordedJob(key: JobKey): Promise<JobSnapshot | undefined> {
  const job = await findJob(store, key)
  return job && { job, ...shownTexts(await findRecent(store, key, job)) }
}

/** Waits until D1 has the job with these fields. Throws if it does not within 5 s. */
export async function untilRecorded(key: JobKey, expected: object): Promise<void> {
  await vi.waitFor(async () => expect((await recordedJob(key))?.job).toMatchObject(expected), {
    timeout: 5_000,
  })
}

/** Empties the storage of the job's object and evicts it. */
export async function loseStorage(key: JobKey): Promise<void> {
  await inside(key, (storage) => storage.deleteAll())
  await evictDurableObject(jobObject(env.JOBS, key))
}

/** Runs the alarm of the job's object as of `now`, in ms since the epoch. True if one was set. */
export async function runAlarmAt(key: JobAddress, now: number): Promise<boolean> {
  vi.useFakeTimers({ toFake: ['Date'], now })
  const ran = await runDurableObjectAlarm(jobObject(env.JOBS, key))
  vi.useRealTimers()
  return ran
}

/** Runs the alarm of the job's object when it is due to bring D1 up to date. True if one was set. */
export function recordByAlarm(key: JobAddress): Promise<boolean> {
  return runAlarmAt(key, Date.now() + RECORD_DELAY)
}

/** Runs the alarm of a finished job when it is due to leave its object. Throws if it stays. */
export async function archive(key: JobAddress): Promise<void> {
  const { job } = await readJob(key)
  await runAlarmAt(key, (job.completedAt ?? 0) + HOUR)
  if (await inside(key, (storage) => storage.kv.get('job') !== undefined)) throw new Error('the job stayed')
}

/** Looks at the storage of the job's object from inside. */
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

function acknowledged(reply: JobReply): void {
  if (!reply.ok) throw new Error(`refused: ${reply.reason}`)
}
