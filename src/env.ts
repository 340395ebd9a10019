/** What wrangler.toml binds the Worker to. */
export interface Env {
  DB: D1Database
  JOBS: DurableObjectNamespace
  /** How long a finished job stays in its object before D1 alone serves it. */
  ARCHIVE_AFTER_SECONDS: number
  /** After how many days without a report a live job is failed; 0: never. */
  ABANDONED_AFTER_DAYS: number
  /** Whether a callback URL may lead to this machine: in development only. */
  ALLOW_LOOPBACK_CALLBACKS: boolean
  /** How long a finished job stays in D1; 0: for ever. */
  RETENTION_DAYS: number
  /** The origins whose pages may call from a browser, separated by commas. None where it is missing. */
  ALLOWED_ORIGINS?: string
  /** Limits what one credential may ask for. Without it, nobody is limited. */
  REQUESTS?: RateLimit
  /** Limits how often one IP address may fail to authenticate. Without it, nobody is limited. */
  FAILED_LOGINS?: RateLimit
  /** The Stytch B2B project whose sessions are taken. Without it and its secret, a cookie is no credential. */
  STYTCH_PROJECT_ID?: string
  STYTCH_SECRET?: string
  /** Where Stytch is, if not at its own address for the project. */
  STYTCH_BASE_URL?: string
}
