import { join, resolve } from 'node:path'
import type { V4WorkerOptions } from 'miniflare'
import { DATABASE_NAMES } from '../src/store/databases.ts'

export const PROJECT = resolve(import.meta.dirname, '..')

/** The folder that `[assets]` in wrangler.toml names: the pages under `/docs`, built by build-docs.ts. */
export const SITE = join(PROJECT, 'build/site')

/** One of the D1 databases in wrangler.toml. */
interface DatabaseSettings {
  /** The Worker's name for it: `DB`, `DB_2`, … */
  binding: string
  id: string
  /** Cloudflare's name for it. */
  name: string
}

/** The settings in wrangler.toml, in Miniflare's form. Reading them needs no network. */
export interface Settings {
  /** Everything but the Worker's code. */
  worker: V4WorkerOptions & { name: string }
  /** `DB` comes first. */
  databases: [DatabaseSettings, ...DatabaseSettings[]]
  migrationsDir: string
}

export async function readSettings(): Promise<Settings> {
  process.env.WRANGLER_SEND_METRICS ??= 'false'
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false'
  // Import wrangler last: it reads the environment while loading.
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler')
  const config = unstable_readConfig({ config: join(PROJECT, 'wrangler.toml') })
  const bindings: D1Binding[] = config.d1_databases
  const databases = bindings
    .map(({ binding, database_id: id, database_name: name }) => {
      if (id === undefined || name === undefined)
        throw new Error(`wrangler.toml: ${binding} has no name or id`)
      return { binding, id, name }
    })
    .toSorted((a, b) => order(a.binding) - order(b.binding))
  const [first, ...more] = databases
  if (config.name === undefined || first?.binding !== 'DB')
    throw new Error('wrangler.toml names no Worker, or no D1 database with the binding DB')
  // Without `assets`: Miniflare would put two Workers in front of ours, and a report would take three times as long.
  const { assets: _, ...workerOptions } = unstable_getMiniflareWorkerOptions(config).workerOptions
  const serviceBindings = Object.assign({}, workerOptions.serviceBindings, {
    ASSETS: { disk: { path: SITE } },
  })
  return {
    worker: { ...workerOptions, serviceBindings, name: config.name, modules: [] },
    databases: [first, ...more],
    migrationsDir: join(PROJECT, 'drizzle'),
  }
}

/** A `[[d1_databases]]` of wrangler.toml. */
interface D1Binding {
  binding: string
  database_id?: string
  database_name?: string
}

function order(binding: string): number {
  const at = (DATABASE_NAMES as readonly string[]).indexOf(binding)
  if (at === -1)
    throw new Error(`wrangler.toml: a D1 database is named ${DATABASE_NAMES.join(', ')}, not ${binding}`)
  return at
}

/** The folder of the local state, the same one that wrangler derives from `--persist-to`. */
export function stateDir(persistTo: string | undefined): string {
  return join(persistTo === undefined ? join(PROJECT, '.wrangler/state') : resolve(persistTo), 'v3')
}
