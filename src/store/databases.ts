import type { Env } from '../env.ts'

/** The names that bindings of databases may have. `DB` is always bound. */
export const DATABASE_NAMES = ['DB', 'DB_2', 'DB_3', 'DB_4', 'DB_5', 'DB_6', 'DB_7', 'DB_8', 'DB_9'] as const

/** The directory names a database that has no binding. */
class UnknownDatabase extends Error {
  constructor(name: string) {
    // `isStoreError` knows it by the prefix: callers are told to retry.
    super(`D1_UNKNOWN: there is no binding ${name}`)
  }
}

/** The databases that are bound, by name; `DB` comes first. */
export function databases(env: Env): Record<string, D1Database> {
  return Object.fromEntries(DATABASE_NAMES.flatMap((name) => (env[name] ? [[name, env[name]]] : [])))
}

/** A database by name. Throws if it is not bound; the error counts as a failure of D1. */
export function databaseOf(env: Env, name: string): D1Database {
  const found = databases(env)[name]
  if (found === undefined) throw new UnknownDatabase(name)
  return found
}
