import { drizzle } from 'drizzle-orm/sqlite-proxy'
import type { AnyStore } from '../../src/store/store.ts'

/** A database that awaits `around` for each statement: whether and when it runs is up to that. */
export function hookedStore(
  database: D1Database,
  around: (run: () => Promise<unknown>, sql: string) => Promise<unknown>,
): AnyStore {
  return drizzle(async (sql, params, method) => {
    let rows: unknown[][] = []
    const run = async () => {
      const statement = database.prepare(sql).bind(...params)
      rows = await statement.raw()
    }
    await around(run, sql)
    return { rows: method === 'get' ? (rows[0] ?? []) : rows }
  })
}
