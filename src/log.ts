import { describeError } from './describe-error.ts'
import type { JobKey } from './jobs/job.ts'

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

/** Says on one line, as JSON, that something was done. */
export function logEvent(event: string, fields: LogFields): void {
  console.log(JSON.stringify({ event, ...fields }))
}

/** Which job a line is about. */
export function ofJob(key: JobKey | undefined): LogFields {
  return { organization: key?.organizationId, job_id: key?.jobId }
}
