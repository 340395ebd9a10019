import { describeError } from './describe-error.ts'
import type { JobKey } from './jobs/job.ts'
import { Throttle } from './throttle.ts'

/** What a line may carry besides its event: never a key, a token, a cookie or a body, nor anything quoted from one. */
type LogFields = Record<string, string | number | string[] | null | undefined>

/** Logs one line of JSON for a request that was refused (4xx) or failed (5xx), and the error behind it. */
export function logRefusal(fields: LogFields & { status: number }, error?: unknown): void {
  const line = JSON.stringify({ event: 'refused', ...fields, ...(error ? describeError(error) : {}) })
  if (fields.status >= 500) console.error(line)
  else console.warn(line)
}

/** Logs one line of JSON for something that went wrong on our side: D1, another service, or a bug. */
export function logError(event: string, fields: LogFields, error: unknown): void {
  console.error(JSON.stringify({ event, ...fields, ...describeError(error) }))
}

/** Shared by all objects and requests of an isolate: in an outage, they all have the same to say. */
const throttle = new Throttle()

/**
 * Like `logError`, for trouble that repeats while it lasts: an event is logged at once, and then at most once a
 * minute. `times` counts how often it happened since its last line, this time included.
 *
 * @param now in ms since the epoch
 */
export function logErrorThrottled(
  event: string,
  fields: LogFields,
  error: unknown,
  now: number = Date.now(),
): void {
  const tally = throttle.count(event, '', now)
  if (tally) logError(event, { ...fields, times: tally.times }, error)
}

/**
 * Like `logErrorThrottled`, for trouble with a job. The line names one job; `jobs` counts the different jobs it
 * happened to, up to 1,000.
 *
 * @param now in ms since the epoch
 */
export function logJobError(event: string, key: JobKey, error: unknown, now: number = Date.now()): void {
  const tally = throttle.count(event, `${key.organizationId} ${key.jobId}`, now)
  if (tally) logError(event, { ...jobFields(key), jobs: tally.subjects, times: tally.times }, error)
}

/** Logs one line of JSON for something that was done. */
export function logEvent(event: string, fields: LogFields): void {
  console.log(JSON.stringify({ event, ...fields }))
}

/** Which job a line is about. */
export function jobFields(key: JobKey | undefined): LogFields {
  return { organization: key?.organizationId, job_id: key?.jobId }
}
