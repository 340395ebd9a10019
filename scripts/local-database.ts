import { createHash, createHmac } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { drizzle, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { applyMigrations } from './apply-migrations.ts'
import { readSettings, stateDir } from './settings.ts'
import { StateError, toStateError, withStateErrors } from './state-error.ts'

/** How long to wait for other writers, in ms. An edge under load writes many times a second, briefly. */
const PATIENCE = 10_000

export interface LocalDatabase {
  store: SqliteRemoteDatabase
  /** Whether there was none before. */
  isNew: boolean
  close: () => void
}

/**
 * Opens the local D1 database, beside a running edge or without one: as the SQLite file it is, so that SQLite waits for its turn
 * to write. A second Workers runtime on the file would fail whenever the first is writing.
 *
 * Throws a StateError if there is no state and none may be made, or if it cannot be used.
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
      `There is no state in ${dirname(state)}: no edge has run on it, and no key was issued.`,
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

/** Opens the file of a D1 database, makes it if there is none, and brings it to the newest schema. */
export function openD1File(path: string, migrationsDir: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: PATIENCE })
  try {
    // As the Workers runtime wants it; to change that later takes the file to itself.
    database.exec('PRAGMA journal_mode = WAL')
    applyMigrations(database, migrationsDir)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The file that Miniflare keeps a local D1 database in: an object's storage, named by the id that the runtime gives the object. */
export function d1Path(state: string, databaseId: string): string {
  const kind = 'miniflare-D1DatabaseObject'
  const key = createHash('sha256').update(kind).digest()
  const sign = (text: string | Buffer) => createHmac('sha256', key).update(text).digest().subarray(0, 16)
  const name = sign(databaseId)
  return join(state, 'd1', kind, `${Buffer.concat([name, sign(name)]).toString('hex')}.sqlite`)
}
