import type { Job } from './job.ts'
import { REPLY_WINDOW } from './limits.ts'

/** A request with an Idempotency-Key. A repeat has the same key and the same body. */
export interface KeyedRequest {
  key: string
  /** SHA-256 of the body. */
  fingerprint: string
}

/** What is kept of a keyed report, so a repeat gets the same reply and is not applied again. */
export interface IdempotentReply {
  request: KeyedRequest
  /** When it was answered, in ms since the epoch. */
  asOf: number
  /**
   * The job as the reply showed it; its counts also identify the entries that were shown. Null if the report changed
   * nothing, or if this old reply was dropped to save bytes: a repeat then shows the job as it is now.
   */
  job: Job | null
}

/** What a request is, given an earlier one with the same key. `now` is in ms since the epoch. */
export function judgeRepeat(
  earlier: { fingerprint: string; asOf: number },
  request: KeyedRequest,
  now: number,
): 'expired' | 'repeated' | 'key_reused' {
  if (now - earlier.asOf >= REPLY_WINDOW) return 'expired'
  return earlier.fingerprint === request.fingerprint ? 'repeated' : 'key_reused'
}
