import { JobClosedError, RequestRefusedError, UnreachableError } from '../errors.ts'
import type { JobStatus } from '../job.ts'
import { NoKeyError, UsageError } from './usage-error.ts'

export const EXIT = {
  ok: 0,
  /** A bug, or an answer that is not the API's. */
  unexpected: 1,
  usage: 2,
  notAuthenticated: 3,
  forbidden: 4,
  /** The job did not end well, or the API refused the request for good. */
  refused: 5,
  /** It may work later: out of time, or no usable answer. */
  unavailable: 7,
} as const

/** The exit code for a finished job. */
export function exitCodeOfStatus(status: JobStatus): number {
  return status === 'completed' || status === 'completed_with_warnings' ? EXIT.ok : EXIT.refused
}

export function exitCodeOfError(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof NoKeyError) return EXIT.notAuthenticated
  if (error instanceof UnreachableError || isTimeout(error)) return EXIT.unavailable
  if (error instanceof JobClosedError) return EXIT.refused
  if (!(error instanceof RequestRefusedError)) return EXIT.unexpected
  if (error.status === 401) return EXIT.notAuthenticated
  return error.status === 403 ? EXIT.forbidden : EXIT.refused
}

/** Whether it is the reason of an `AbortSignal.timeout`. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}
