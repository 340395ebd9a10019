import type { Job } from './job.ts'
import { REPLY_WINDOW } from './limits.ts'

/** A request that was sent with an Idempotency-Key: repeated, it has the same key and the same body behind it. */
export interface KeyedRequest {
  key: string
  /** SHA-256 of the body. */
  fingerprint: string
}

/** What is kept of a keyed report, so that a repeat is answered the same and not applied again. */
export interface IdempotentReply {
  request: KeyedRequest
  /** When it was answered, in ms since the epoch. */
  asOf: number
  /**
   * The job as the reply showed it; its entries are found again by the counts in it. Null where the report changed
   * nothing, or where the reply was one of the oldest of too many bytes: a repeat then shows the job as it is.
   */
  job: Job | null
}

/** What an earlier request of the same key means for one that comes now. */
export function judgeRepeat(
  earlier: { fingerprint: string; asOf: number },
  request: KeyedRequest,
  now: number,
): 'expired' | 'repeated' | 'key_reused' {
  if (now - earlier.asOf >= REPLY_WINDOW) return 'expired'
  return earlier.fingerprint === request.fingerprint ? 'repeated' : 'key_reused'
}
