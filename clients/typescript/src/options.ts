import type { Job } from './job.ts'

export interface MilepostOptions {
  /**
   * The API's base URL, such as `https://jobs.example.com`. It may include a path before `/api`. Default: the environment's
   * `MILEPOST_URL`.
   */
  url?: string
  /** A server API key. Default: the environment's `MILEPOST_API_KEY`. */
  key?: string
  /** Which organization to act for. Only needed with a key for several. */
  organizationId?: string
  /** The most reports a second that a job's reporter sends of its own accord. Default 2. */
  reportsPerSecond?: number
  /** How many milliseconds to keep trying, before an awaited call rejects and sending pauses. Default 60,000. */
  giveUpAfterMs?: number
  /** How many milliseconds one attempt may wait for its reply. Default 10,000. */
  attemptTimeoutMs?: number
  /** Called when something could not be reported. It must not throw. Default: console.warn, at most once in ten seconds. */
  onProblem?: (problem: Error) => void
  fetch?: Fetch
  clock?: Clock
}

export interface JobOptions {
  /** Takes the place of the client's own. */
  onProblem?: (problem: Error) => void
  /** Called with the job after each acknowledged report. */
  onProgress?: (job: Job) => void
}

export interface CallOptions {
  /** Takes the place of the client's own `giveUpAfterMs`. */
  giveUpAfterMs?: number
  /** When aborted, the call rejects with the signal's reason. What it sent may still have been applied. */
  signal?: AbortSignal
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Time and chance. Tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch, for a date that the API sends. */
  now(): number
  /** Milliseconds since some fixed point, for time limits. Setting the machine's clock does not change it. */
  elapsed(): number
  /** Resolves after `ms` milliseconds, or when the signal is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** A number from 0 up to but not including 1. It spreads the retries of many workers. */
  random(): number
}
