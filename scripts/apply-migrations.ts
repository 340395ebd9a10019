import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { StateError } from './state-error.ts'

/**
 * Brings a D1 database to the newest schema. What is applied is noted where wrangler notes it, so that neither repeats the other.
 * Throws a StateError if a migration does not apply; then none has.
 */
export function applyMigrations(database: DatabaseSync, migrationsDir: string): void {
  const names = readdirSync(migrationsDir)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  // Usually there is nothing to do, and no lock to wait for: an edge has applied them all.
  if (missing(database, names).length === 0) return
  // Another process may be applying the same ones: look again once the lock is taken.
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
    // A full disk rolls back by itself.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function missing(database: DatabaseSync, names: string[]): string[] {
  const isNoted = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'd1_migrations'").get()
  if (isNoted === undefined) return names
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
    const { errcode, message } = error as { errcode?: number; message: string }
    // Only this code is about the statement, and not about the disk.
    if (errcode !== 1) throw error
    throw new StateError(`The migration ${name} does not apply to the database: ${message}.`, {
      cause: error,
    })
  }
}
