import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { isAboutState, StateError } from './state-error.ts'

/**
 * Migrates a D1 database to the newest schema. Applied migrations go into wrangler's own table, so neither tool repeats the
 * other's work. Throws a StateError if a migration fails; in that case none is applied.
 */
export function applyMigrations(database: DatabaseSync, migrationsDir: string): void {
  const names = readdirSync(migrationsDir)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  // Usually an edge has applied them all. Don't wait for a lock then.
  if (missing(database, names).length === 0) return
  // Another process may be applying the same migrations: check again under the lock.
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec(
      `CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
      applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    )
    for (const name of missing(database, names)) {
      apply(database, name, readFileSync(join(migrationsDir, name), 'utf8'))
    }
    database.exec('COMMIT')
  } catch (error) {
    // SQLite has already rolled back if the disk is full.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function missing(database: DatabaseSync, names: string[]): string[] {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'd1_migrations'").get()
  if (table === undefined) return names
  const applied = new Set(
    database
      .prepare('SELECT name FROM d1_migrations')
      .all()
      .map(({ name }) => name),
  )
  return names.filter((name) => !applied.has(name))
}

function apply(database: DatabaseSync, name: string, sql: string): void {
  try {
    database.exec(sql)
    database.prepare('INSERT INTO d1_migrations (name) VALUES (?)').run(name)
  } catch (error) {
    // The caller explains an error about the disk or a lock. Every other one is about the statement or the data.
    if (!(error instanceof Error) || isAboutState(error)) throw error
    throw new StateError(`The migration ${name} does not apply to the database: ${error.message}.`, {
      cause: error,
    })
  }
}
