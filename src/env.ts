/** A variable that is not text in wrangler.toml. Set anywhere else, it is text: see `readSettings`. */
type Variable<Value> = Value | string

/** The Worker's bindings and variables: see wrangler.toml. */
export interface Env {
  /** Keys, webhook secrets, the directory of organizations, and the jobs of those that live here. */
  DB: D1Database
  /** More databases for jobs: each organization lives in one. */
  DB_2?: D1Database
  DB_3?: D1Database
  DB_4?: D1Database
  DB_5?: D1Database
  DB_6?: D1Database
  DB_7?: D1Database
  DB_8?: D1Database
  DB_9?: D1Database
  /** The pages under `/docs`, by path. */
  ASSETS: Fetcher
  JOBS: DurableObjectNamespace
  /** The recorders before D1, by database and number. */
  RECORDERS: DurableObjectNamespace
  /** How many recorders the jobs of a database are spread over. One takes some hundred calls a second. */
  RECORDERS_PER_DATABASE?: Variable<number>
  /** Where recorders are created: a hint of Durable Objects, near the database. Empty: near the first job. */
  RECORDER_LOCATION_HINT?: string
  /** How long a finished job stays in its object before only D1 serves it. */
  ARCHIVE_AFTER_SECONDS?: Variable<number>
  /** A live job is failed after this many days without a report; 0: never. */
  ABANDONED_AFTER_DAYS?: Variable<number>
  /** How long a canceled job still takes one final report. */
  CANCEL_GRACE_SECONDS?: Variable<number>
  /** UTF-8 bytes of the entries that a job keeps. Further entries are only counted. */
  MAX_ENTRY_BYTES_PER_JOB?: Variable<number>
  /** Live jobs of one organization. With that many, it cannot create another. */
  MAX_LIVE_JOBS?: Variable<number>
  /** Bytes that one organization has in D1, as `usedBytes` counts them. With that many, it cannot create another job. */
  MAX_BYTES_PER_ORGANIZATION?: Variable<number>
  /** Whether a callback URL may lead to this machine. For development only. */
  ALLOW_LOOPBACK_CALLBACKS?: Variable<boolean>
  /** How long a finished job stays in D1; 0: forever. */
  RETENTION_DAYS?: Variable<number>
  /** The database for organizations that are new. Without it, the one with the most free space. */
  DATABASE_FOR_NEW?: string
  /** The origins whose pages may call from a browser, separated by commas. Without it, there are none. */
  ALLOWED_ORIGINS?: string
  /** Limits the requests of one credential. Without it, there is no limit. */
  REQUESTS?: RateLimit
  /** Limits how often one IP address may fail to authenticate. Without it, there is no limit. */
  FAILED_LOGINS?: RateLimit
  /** The Stytch B2B project whose sessions are accepted. Without it and its secret, there are none. */
  STYTCH_PROJECT_ID?: string
  STYTCH_SECRET?: string
  /** Stytch's base URL, if not the default. */
  STYTCH_BASE_URL?: string
}
