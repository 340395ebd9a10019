/** What wrangler.toml binds the Worker to. */
export interface Env {
  DB: D1Database
  JOBS: DurableObjectNamespace
}
