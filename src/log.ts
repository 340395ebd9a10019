import { describeError } from './describe-error.ts'
import type { JobKey } from './jobs/job.ts'
import { Throttle } from './throttle.ts'

/** What a line may carry beside its event. Never a key, a token, a cookie or a body, nor anything quoted from one. */
export type LogFields = Record<string, string | number | string[] | null | undefined>

/** Says on one line, as JSON, that a request was refused (4xx) or could not be served (5xx), and for which error. */
export function logRefusal(fields: LogFields & { status: number }, error?: unknown): void {
  const line = JSON.stringify({ event: 'refused', ...fields, ...(error ? describeError(error) : {}) })
  if (fields.status >= 500) console.error(line)
  else console.warn(line)
}

/** Says on one line, as JSON, that something of ours went wrong: D1 or another service, or a bug. */
export function logTrouble(event: string, fields: LogFields, error: unknown): void {
  console.error(JSON.stringify({ event, ...fields, ...describeError(error) }))
}

/** Shared by all objects and requests of an isolate: in an outage, each of them has the same to say. */
const throttle = new Throttle()

/**
 * Like `logTrouble`, of what happens over and over while it lasts: an event is said at once, and then once a minute at
 * most. A line's `times` counts those since the last line of its event.
 *
 * @param now in ms since the epoch
 */
export function logRecurringTrouble(
  event: string,
  fields: LogFields,
  error: unknown,
  now: number = Date.now(),
): void {
  const tally = throttle.count(event, '', now)
  if (tally) logTrouble(event, { ...fields, times: tally.times }, error)
}

/**
 * Like `logRecurringTrouble`, of what went wrong with a job. A line names one job, and `jobs` counts the different ones
 * that its `times` were about; it counts to 1,000.
 *
 * @param now in ms since the epoch
 */
export function logJobTrouble(event: string, key: JobKey, error: unknown, now: number = Date.now()): void {
  const tally = throttle.count(event, `${key.organizationId} ${key.jobId}`, now)
  if (tally) logTrouble(event, { ...ofJob(key), jobs: tally.subjects, times: tally.times }, error)
}

/** Says on one line, as JSON, that something was done. */
export function logEvent(event: string, fields: LogFields): void {
  console.log(JSON.stringify({ event, ...fields }))
}

/** Which job a line is about. */
export function ofJob(key: JobKey | undefined): LogFields {
  return { organization: key?.organizationId, job_id: key?.jobId }
}
