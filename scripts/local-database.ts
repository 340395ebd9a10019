import { createHash, createHmac } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { drizzle, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { applyMigrations } from './apply-migrations.ts'
import { readSettings, stateDir } from './settings.ts'
import { StateError, toStateError, withStateErrors } from './state-error.ts'

/** How long to wait for other writers. An edge under load writes briefly, many times a second. */
const LOCK_TIMEOUT_MS = 10_000

interface LocalDatabase {
  store: SqliteRemoteDatabase
  /** Whether this call created the database. */
  isNew: boolean
  close: () => void
}

/**
 * Opens the local D1 database as a SQLite file, whether or not an edge is running. SQLite waits for its turn to write; a second
 * Workers runtime on the file would fail whenever the first is writing.
 *
 * Throws a StateError if the state is unusable, or if there is none and `mayCreate` is false.
 */
export async function openLocalDatabase(
  persistTo: string | undefined,
  { mayCreate }: { mayCreate: boolean },
): Promise<LocalDatabase> {
  const settings = await readSettings()
  const state = stateDir(persistTo)
  const path = d1Path(state, settings.databaseId)
  const isNew = !existsSync(path)
  if (isNew && !mayCreate) {
    throw new StateError(
      `There is no state in ${dirname(state)}: no edge has run there and no key was issued.`,
    )
  }
  const database = await withStateErrors(dirname(state), () => openD1File(path, settings.migrationsDir))
  const store = drizzle(async (sql, params) => {
    try {
      const statement = database.prepare(sql)
      statement.setReturnArrays(true)
      return { rows: statement.all(...params) }
    } catch (error) {
      throw toStateError(error, dirname(state))
    }
  })
  return { store, isNew, close: () => database.close() }
}

/** Opens a D1 database file, creating it if necessary, and migrates it to the newest schema. */
export function openD1File(path: string, migrationsDir: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS })
  try {
    // The mode that the Workers runtime uses. Changing it later needs exclusive access.
    database.exec('PRAGMA journal_mode = WAL')
    applyMigrations(database, migrationsDir)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The path of Miniflare's file for a local D1 database: the storage of a Durable Object, named after the object's id. */
export function d1Path(state: string, databaseId: string): string {
  const kind = 'miniflare-D1DatabaseObject'
  const key = createHash('sha256').update(kind).digest()
  const sign = (text: string | Buffer) => createHmac('sha256', key).update(text).digest().subarray(0, 16)
  const name = sign(databaseId)
  return join(state, 'd1', kind, `${Buffer.concat([name, sign(name)]).toString('hex')}.sqlite`)
}
