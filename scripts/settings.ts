import { join, resolve } from 'node:path'
import type { V4WorkerOptions } from 'miniflare'

export const PROJECT = resolve(import.meta.dirname, '..')

/** The settings in wrangler.toml, in Miniflare's form. Reading them needs no network. */
interface Settings {
  /** Everything but the Worker's code. */
  worker: V4WorkerOptions & { name: string }
  /** The Worker's name for the database. */
  binding: string
  databaseId: string
  databaseName: string
  migrationsDir: string
}

export async function readSettings(): Promise<Settings> {
  process.env.WRANGLER_SEND_METRICS ??= 'false'
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false'
  // Import wrangler last: it reads the environment while loading.
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

/** The folder of the local state, the same one that wrangler derives from `--persist-to`. */
export function stateDir(persistTo: string | undefined): string {
  return join(persistTo === undefined ? join(PROJECT, '.wrangler/state') : resolve(persistTo), 'v3')
}
