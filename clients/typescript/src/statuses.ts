import type { JobStatus } from './job.ts'

const FINISHED: readonly JobStatus[] = [
  // Before `completed`, whose name is in it.
  'completed_with_warnings',
  'completed',
  'partial_success',
  'failed',
  'cancelled',
]
const STATUSES: readonly JobStatus[] = [...FINISHED, 'in_progress', 'pending']

/** Whether a job of this status takes no more reports. */
export function isFinished(status: JobStatus): boolean {
  return FINISHED.includes(status)
}

/** The status named in a header or a sentence of the API; undefined if there is none. */
export function statusIn(text: string | null): JobStatus | undefined {
  return STATUSES.find((status) => text?.includes(status))
}
