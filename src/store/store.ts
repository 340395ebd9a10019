import { DrizzleQueryError } from 'drizzle-orm'
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import { boundedD1, D1Timeout } from './bounded-d1.ts'

/** D1 through Drizzle. Open it once per isolate or object, not per query. */
export type Store = DrizzleD1Database

/** A database over any driver: the edge uses its D1 binding, an operator's shell a file or Cloudflare's API. */
export type AnyStore = BaseSQLiteDatabase<'async', unknown>

export function openStore(database: D1Database): Store {
  return drizzle(boundedD1(database))
}

/**
 * D1 for reads that may be behind: they go to the nearest replica, if there is one. Nothing that shows the status of a
 * job may use it.
 */
export function openReplica(database: D1Database): Store {
  return drizzle(boundedD1(database.withSession('first-unconstrained')))
}

/** Whether D1 did not answer in time: what was asked for may still be done. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DrizzleQueryError ? isTimeout(error.cause) : error instanceof D1Timeout
}

/** Whether an error means that D1 failed. Callers are then told to retry. */
export function isStoreError(error: unknown): boolean {
  return error instanceof DrizzleQueryError || (error instanceof Error && error.message.startsWith('D1_'))
}

/** Whether D1 failed because of the values it was given: other records are not affected, and this one will fail again. */
export function isDataError(error: unknown): boolean {
  if (error instanceof DrizzleQueryError) return isDataError(error.cause)
  return error instanceof Error && DATA_ERROR.test(error.message)
}

const DATA_ERROR = /SQLITE_(?:CONSTRAINT|TOOBIG|MISMATCH)|malformed JSON|too big/
