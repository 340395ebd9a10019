import { env } from 'cloudflare:workers'
import { vi } from 'vitest'

/** Has D1 answer no query that comes from now on, until it is let go; then it answers them all. */
export function holdD1(): { letGo: () => void } {
  const prototype = Object.getPrototypeOf(env.DB.prepare('select 1')) as D1PreparedStatement
  const { promise: released, resolve } = Promise.withResolvers<void>()
  const methods = ['raw', 'all', 'run'] as const
  const spies = methods.map((name) => {
    const original = prototype[name] as (...args: unknown[]) => Promise<unknown>
    return vi.spyOn(prototype, name).mockImplementation(async function (this: unknown, ...args: unknown[]) {
      await released
      return await original.apply(this, args)
    } as never)
  })
  return {
    letGo: () => {
      for (const spy of spies) spy.mockRestore()
      resolve()
    },
  }
}
