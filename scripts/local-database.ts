import { createHash, createHmac } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { DATABASE_NAMES } from '../src/store/databases.ts'
import { applyMigrations } from './apply-migrations.ts'
import { type OperatorDatabase, type OperatorDatabases, withDirectory } from './operator-databases.ts'
import { type DatabaseSettings, MIGRATIONS, readDatabases, stateDir } from './settings.ts'
import { StateError, toStateError, withStateErrors } from './state-error.ts'

/** How long to wait for other writers. An edge under load writes briefly, many times a second. */
const LOCK_TIMEOUT_MS = 10_000

interface LocalDatabases {
  /** By binding. */
  databases: OperatorDatabases
  /** Whether this call created the state. */
  isNew: boolean
  close: () => void
}

/**
 * Opens the local D1 databases as SQLite files, whether or not an edge is running. SQLite waits for its turn to write; a
 * second Workers runtime on the files would fail whenever the first is writing.
 *
 * Throws a StateError if the state is unusable, or if there is none and `mayCreate` is false.
 */
export async function openLocalDatabases(
  persistTo: string | undefined,
  { mayCreate }: { mayCreate: boolean },
): Promise<LocalDatabases> {
  const settings = readDatabases()
  const state = stateDir(persistTo)
  const dir = dirname(state)
  const isNew = !existsSync(d1Path(state, settings[0].id))
  if (isNew && !mayCreate)
    throw new StateError(`There is no state in ${dir}: no edge has run there and no key was issued.`)
  const opened: DatabaseSync[] = []
  const close = () => {
    for (const database of opened) database.close()
  }
  const open = async ({ path }: LocalDatabase): Promise<OperatorDatabase> => {
    const database = await withStateErrors(dir, () => openD1File(path))
    opened.push(database)
    const run = (sql: string, params: SQLInputValue[] = []) => {
      try {
        const statement = database.prepare(sql)
        statement.setReturnArrays(true)
        return statement.all(...params) as unknown as unknown[][]
      } catch (error) {
        throw toStateError(error, dir)
      }
    }
    return {
      store: drizzle(async (sql, params) => ({ rows: run(sql, params) })),
      bytes: async () => {
        const [[pages, size] = []] = run(
          'select page_count, page_size from pragma_page_count(), pragma_page_size()',
        )
        return Number(pages) * Number(size)
      },
    }
  }
  try {
    const databases: Record<string, OperatorDatabase> = {}
    for (const each of localDatabases(settings, state)) databases[each.binding] = await open(each)
    return { databases: withDirectory(databases), isNew, close }
  } catch (error) {
    close()
    throw error
  }
}

/** A D1 database on this machine. */
interface LocalDatabase {
  binding: string
  id: string
  /** The path of its file, which may not exist yet. */
  path: string
}

/** The D1 databases of a state: those in wrangler.toml, those that it has already, and as many as make `count`. */
export function localDatabases(databases: DatabaseSettings[], state: string, count = 1): LocalDatabase[] {
  return DATABASE_NAMES.flatMap((binding, at) => {
    const set = databases.find((database) => database.binding === binding)
    const id = set?.id ?? `local-${binding}`
    const path = d1Path(state, id)
    return set !== undefined || at < count || existsSync(path) ? [{ binding, id, path }] : []
  })
}

/** Opens a D1 database file, creating it if necessary, and migrates it to the newest schema. */
export function openD1File(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS })
  try {
    // The mode that the Workers runtime uses. Changing it later needs exclusive access.
    database.exec('PRAGMA journal_mode = WAL')
    applyMigrations(database, MIGRATIONS)
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
