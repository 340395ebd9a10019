import { applyD1Migrations, type D1Migration } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

declare global {
  namespace Cloudflare {
    interface Env {
      DB: D1Database
      DB_2: D1Database
      JOBS: DurableObjectNamespace
      /** Node reads these in vitest.config.ts, because a Worker has no files. */
      RECORDERS: DurableObjectNamespace
      TEST_MIGRATIONS: D1Migration[]
    }
  }
}

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
await applyD1Migrations(env.DB_2, env.TEST_MIGRATIONS)
