import type { Job } from './job.ts'

/** How long an answer is kept for a retry, in ms, and for how many of the newest keyed reports of a job. */
export const RETRY_WINDOW = 24 * 60 * 60 * 1_000
export const MAX_ANSWERS = 1_000

/** What makes a request a retry of another: the same key, with the same body behind it. */
export interface Retry {
  key: string
  /** SHA-256 of the body. */
  fingerprint: string
}

/** What a keyed request was answered. The entries that it showed are found again by the counts in the job. */
export interface Answer {
  retry: Retry
  /** In ms since the epoch. */
  asOf: number
  job: Job
}

/** What the earlier answer to a key means for a request that carries it again. */
export function judgeRetry(
  earlier: Answer | undefined,
  retry: Retry,
  now: number,
): 'new' | 'repeated' | 'reused' {
  if (earlier === undefined || now - earlier.asOf >= RETRY_WINDOW) return 'new'
  return earlier.retry.fingerprint === retry.fingerprint ? 'repeated' : 'reused'
}
