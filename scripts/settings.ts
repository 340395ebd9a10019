import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { V4WorkerOptions } from 'miniflare'
import { parse } from 'smol-toml'
import { DATABASE_NAMES } from '../src/store/databases.ts'

export const PROJECT = resolve(import.meta.dirname, '..')
const CONFIG = join(PROJECT, 'wrangler.toml')
/** The folder of the migrations that drizzle-kit generates. */
export const MIGRATIONS = join(PROJECT, 'drizzle')

/** The folder that `[assets]` in wrangler.toml names: the pages under `/docs`, built by build-docs.ts. */
export const SITE = join(PROJECT, 'build/site')

/** One of the D1 databases in wrangler.toml. */
export interface DatabaseSettings {
  /** The Worker's name for it: `DB`, `DB_2`, … */
  binding: string
  id: string
  /** Cloudflare's name for it. */
  name: string
}

/**
 * The D1 databases in wrangler.toml; `DB` comes first. They are read without wrangler: loading that takes a second, which
 * each `npm run keys` would wait. Throws if one has no name or id, or if there is no `DB`.
 */
export function readDatabases(): [DatabaseSettings, ...DatabaseSettings[]] {
  const config: { d1_databases?: D1Binding[] } = parse(readFileSync(CONFIG, 'utf8'))
  const databases = (config.d1_databases ?? [])
    .map(({ binding, database_id: id, database_name: name }) => {
      if (id === undefined || name === undefined)
        throw new Error(`wrangler.toml: ${binding} has no name or id`)
      return { binding, id, name }
    })
    .toSorted((a, b) => order(a.binding) - order(b.binding))
  const [first, ...more] = databases
  if (first?.binding !== 'DB') throw new Error('wrangler.toml has no D1 database with the binding DB')
  return [first, ...more]
}

/** The Worker of wrangler.toml in Miniflare's form, everything but its code. Reading it needs no network. */
export async function readWorkerSettings(): Promise<V4WorkerOptions & { name: string }> {
  process.env.WRANGLER_SEND_METRICS ??= 'false'
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false'
  // Import wrangler last: it reads the environment while loading.
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler')
  const config = unstable_readConfig({ config: CONFIG })
  if (config.name === undefined) throw new Error('wrangler.toml names no Worker')
  // Without `assets`: Miniflare would put two Workers in front of ours, and a report would take three times as long.
  const { assets: _, ...worker } = unstable_getMiniflareWorkerOptions(config).workerOptions
  const serviceBindings = Object.assign({}, worker.serviceBindings, { ASSETS: { disk: { path: SITE } } })
  return { ...worker, serviceBindings, name: config.name, modules: [] }
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
