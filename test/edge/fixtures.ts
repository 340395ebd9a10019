import { expect } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, type KeyOrder, type Reply } from './harness.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests say what they expect in it
export type Body = any
type Headers = Record<string, string>

/** The smallest job that has something to process. */
export const NEW_JOB = { job_type: 'import', total_items: 10 }
/** The ID of no job. */
export const UNKNOWN_ID = `job_${'0'.repeat(32)}`
export const anError = {
  entity_key: 'sku-1',
  entity_type: 'product',
  error_type: 'no_price',
  message: 'No price',
}
export const aWarning = { ...anError, entity_key: 'sku-2', error_type: 'no_image', message: 'No image' }
/** Matches a time in a reply. */
export const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

/** A key of a new organization, with every permission unless told otherwise. */
export async function aCaller(edge: Edge, { org = freshOrganization(), ...order }: Partial<KeyOrder> = {}) {
  const { key, keyId } = await issueKey(edge, { ...order, org })
  return {
    org: [org].flat()[0] as string,
    key,
    keyId,
    get: (path: string, headers?: Headers) => call(edge, key, 'GET', path, undefined, headers),
    post: (path: string, body?: unknown, headers?: Headers) => call(edge, key, 'POST', path, body, headers),
  }
}

/** A caller with a pending job. */
export async function aWorker(edge: Edge, newJob: object = {}, order: Partial<KeyOrder> = {}) {
  const caller = await aCaller(edge, order)
  const { body: created } = succeeded(await caller.post('/api/jobs/', { ...NEW_JOB, ...newJob }))
  const jobId: string = created.job_id
  const path = `/api/jobs/${jobId}`
  const report = (body: unknown, headers?: Headers) => caller.post(`${path}/progress`, body, headers)
  return {
    ...caller,
    created,
    jobId,
    path,
    report,
    /** Sends a report that is taken, and returns the job after it. */
    reported: async (body: object): Promise<Body> => succeeded(await report(body)).body,
    cancel: (body?: unknown) => caller.post(`${path}/cancel`, body),
    /** The job as reports show it: without its relatives. */
    read: async (): Promise<Body> => {
      const { children, linked_from, ...job } = succeeded(await caller.get(path)).body
      return job
    },
  }
}

/** A worker whose job a refused request must not change. `ofFinished`: the job is finished, as a case may need. */
export async function aGuardedJob(edge: Edge, { ofFinished = false } = {}) {
  const worker = await aWorker(edge)
  if (ofFinished) succeeded(await worker.cancel())
  return {
    ...worker,
    /** Shows everything that a request may have changed. */
    look: async () => ({
      job: (await worker.get(worker.path)).text,
      jobs: (await worker.get('/api/jobs/')).body.jobs.length,
    }),
  }
}

/** A caller with a job in progress. */
export async function aRunningJob(edge: Edge, newJob: object = {}, order: Partial<KeyOrder> = {}) {
  const worker = await aWorker(edge, newJob, order)
  await worker.reported({ mark_started: true })
  return worker
}

export function succeeded(reply: Reply): Reply {
  expect(reply).toMatchObject({ status: 200 })
  return reply
}
