import { join, resolve } from 'node:path'
import type { V4WorkerOptions } from 'miniflare'

export const PROJECT = resolve(import.meta.dirname, '..')

/** What wrangler.toml says, as Miniflare takes it. Reading it asks nothing of the network. */
export interface Settings {
  /** Without the Worker's code. */
  worker: V4WorkerOptions & { name: string }
  /** How the database is bound in the Worker. */
  binding: string
  databaseId: string
  databaseName: string
  migrationsDir: string
}

export async function readSettings(): Promise<Settings> {
  process.env.WRANGLER_SEND_METRICS ??= 'false'
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false'
  // Only after the lines above: wrangler reads its environment as it is loaded.
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler')
  const config = unstable_readConfig({ config: join(PROJECT, 'wrangler.toml') })
  const [database] = config.d1_databases
  if (
    config.name === undefined ||
    database?.database_id === undefined ||
    database.database_name === undefined
  ) {
    throw new Error('wrangler.toml names no Worker, or no D1 database with a name and an id')
  }
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config)
  return {
    worker: { ...workerOptions, name: config.name, modules: [] },
    binding: database.binding,
    databaseId: database.database_id,
    databaseName: database.database_name,
    migrationsDir: join(PROJECT, database.migrations_dir ?? 'migrations'),
  }
}

/** The folder of the local state: where wrangler's own `--persist-to` puts it, so that both see the same state. */
export function stateDir(persistTo: string | undefined): string {
  return join(persistTo === undefined ? join(PROJECT, '.wrangler/state') : resolve(persistTo), 'v3')
}
