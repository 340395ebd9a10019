/** What wrangler.toml binds the Worker to. */
export interface Env {
  DB: D1Database
  JOBS: DurableObjectNamespace
  /** How long a finished job stays in its object before D1 alone serves it. */
  ARCHIVE_AFTER_SECONDS: number
  /** How long a finished job stays in D1; 0: for ever. */
  RETENTION_DAYS: number
}
