import { DrizzleQueryError } from 'drizzle-orm'
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import { boundedD1 } from './bounded-d1.ts'

/** D1, through Drizzle. Opened once for each isolate or object, not for each query. */
export type Store = DrizzleD1Database

export function openStore(database: D1Database): Store {
  return drizzle(boundedD1(database))
}

/** D1 for reads that may be a moment behind: from the replica that is nearest, where there are any. */
export function openReplica(database: D1Database): Store {
  return drizzle(boundedD1(database.withSession('first-unconstrained')))
}

/** Whether an error means that D1 could not do what was asked of it: callers are then told to come again. */
export function isStoreError(error: unknown): boolean {
  return error instanceof DrizzleQueryError || (error instanceof Error && error.message.startsWith('D1_'))
}
