import { env } from 'cloudflare:workers'
import { vi } from 'vitest'

/** Has D1 fail every query from now on, as a locked or overloaded one does, until it is restored. */
export function failD1(error: Error = new Error('D1_ERROR: database is locked: SQLITE_BUSY')): {
  restore: () => void
} {
  const statement = Object.getPrototypeOf(env.DB.prepare('select 1')) as D1PreparedStatement
  const database = Object.getPrototypeOf(env.DB) as D1Database
  const fail = () => Promise.reject(error)
  const spies = [
    ...(['raw', 'all', 'run'] as const).map((name) =>
      vi.spyOn(statement, name).mockImplementation(fail as never),
    ),
    vi.spyOn(database, 'batch').mockImplementation(fail as never),
  ]
  return {
    restore() {
      for (const spy of spies) spy.mockRestore()
    },
  }
}
