import { describeError } from './describe-error.ts'
import type { JobKey } from './jobs/job.ts'
import { Throttle } from './throttle.ts'

/** The fields of a line besides its event. Never a key, token, cookie or body, nor a quote from one. */
type LogFields = Record<string, string | number | string[] | null | undefined>

/** Logs one line of JSON for a request that was refused (4xx) or failed (5xx), with its error. */
export function logRefusal(fields: LogFields & { status: number }, error?: unknown): void {
  const line = JSON.stringify({ event: 'refused', ...fields, ...(error ? describeError(error) : {}) })
  if (fields.status >= 500) console.error(line)
  else console.warn(line)
}

/** Logs one line of JSON for a failure on our side: in D1, in another service, or a bug. */
export function logError(event: string, fields: LogFields, error: unknown): void {
  console.error(JSON.stringify({ event, ...fields, ...describeError(error) }))
}

/** Shared by all objects and requests of an isolate, because an outage hits them all. */
const throttle = new Throttle()

/**
 * Like `logError`, for a failure that repeats: an event is logged at once, then at most once a minute. `times` counts
 * how often it happened since its last line, including this time.
 *
 * @param now in ms since the epoch
 */
export function logErrorThrottled(
  event: string,
  fields: LogFields,
  error: unknown,
  now: number = Date.now(),
): void {
  const count = throttle.count(event, '', now)
  if (count) logError(event, { ...fields, times: count.times }, error)
}

/**
 * Like `logErrorThrottled`, for a failure with a job. The line names one job; `jobs` counts the different jobs
 * affected, up to 1,000.
 *
 * @param now in ms since the epoch
 */
export function logJobError(event: string, key: JobKey, error: unknown, now: number = Date.now()): void {
  const count = throttle.count(event, `${key.organizationId} ${key.jobId}`, now)
  if (count) logError(event, { ...jobFields(key), jobs: count.subjects, times: count.times }, error)
}

/** Logs one line of JSON for something done. */
export function logEvent(event: string, fields: LogFields): void {
  console.log(JSON.stringify({ event, ...fields }))
}

/** The fields that name a job. */
export function jobFields(key: JobKey | undefined): LogFields {
  return { organization: key?.organizationId, job_id: key?.jobId }
}
