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

/**
 * The error by its name and the places it came through. Messages are left out, as they quote what they were given: a parser
 * its input, Drizzle a statement's parameters. Those of D1 itself name tables and columns only.
 */
function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error }
  const said = chain(error).find(({ message }) => /^D1[ _]/.test(message))
  const at = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return {
    error: error.name,
    said: said?.message.slice(0, 300),
    at: at.slice(0, 6).map((line) => line.trim()),
  }
}

function chain(error: Error): Error[] {
  return error.cause instanceof Error ? [error, ...chain(error.cause)] : [error]
}
