import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import type { Miniflare, V4WorkerOptions } from 'miniflare'

export const PROJECT = resolve(import.meta.dirname, '..')

type D1 = Awaited<ReturnType<Miniflare['getD1Database']>>

/** What wrangler.toml says, as Miniflare takes it. Nothing is asked of the network for it. */
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
  // Not before the lines above: wrangler reads its environment as it is loaded.
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

/** Where local state lies: as wrangler has it for its flag `--persist-to`, so that both see the same. */
export function stateDir(persistTo: string | undefined): string {
  return join(persistTo === undefined ? join(PROJECT, '.wrangler/state') : resolve(persistTo), 'v3')
}

/**
 * Brings the database to the newest schema. What was applied is noted where wrangler notes it, and is not applied again by
 * either.
 */
export async function applyMigrations(d1: D1, migrationsDir: string): Promise<void> {
  const names = (await readdir(migrationsDir)).filter((name) => name.endsWith('.sql')).sort()
  await d1
    .prepare(
      `CREATE TABLE IF NOT EXISTS "d1_migrations" (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
      applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    )
    .run()
  const { results } = await d1.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const applied = new Set(results.map(({ name }) => name))
  for (const name of names) {
    if (applied.has(name)) continue
    const migration = await readFile(join(migrationsDir, name), 'utf8')
    const statements = migration
      .split('--> statement-breakpoint')
      .filter((statement) => statement.trim() !== '')
    await d1.batch([
      ...statements.map((statement) => d1.prepare(statement)),
      d1.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name),
    ])
  }
}

/**
 * Runs `work` again for a few seconds while another process holds the database's file: an edge that is running, or one that
 * is just applying the same migrations.
 */
export async function retryWhileContended<Result>(work: () => Promise<Result>): Promise<Result> {
  const until = Date.now() + 5_000
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (Date.now() >= until || !isContention(error)) throw error
      await pause(50)
    }
  }
}

function isContention(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (
    /database is locked|SQLITE_BUSY|already exists|d1_migrations\.name/.test(error.message) ||
    isContention(error.cause)
  )
}

export interface LocalDatabase {
  store: DrizzleD1Database
  dispose: () => Promise<void>
}

/**
 * Opens the local D1 database alone, next to a running edge or without one. None of the Worker's objects are opened: their
 * alarms would run twice.
 */
export async function openLocalDatabase(persistTo: string | undefined): Promise<LocalDatabase> {
  const [{ convertV4MiniflareOptions, Miniflare, NoOpLog }, { drizzle }, settings] = await Promise.all([
    import('miniflare'),
    import('drizzle-orm/d1'),
    readSettings(),
  ])
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: '',
      cf: false,
      log: new NoOpLog(),
      resourcePersistencePath: stateDir(persistTo),
      d1Databases: { DB: settings.databaseId },
    }),
  )
  try {
    const d1 = await miniflare.getD1Database('DB')
    await retryWhileContended(() => applyMigrations(d1, settings.migrationsDir))
    return { store: drizzle(d1), dispose: () => miniflare.dispose() }
  } catch (error) {
    // Its runtime would keep this process from ending.
    await miniflare.dispose().catch(() => {})
    throw error
  }
}
