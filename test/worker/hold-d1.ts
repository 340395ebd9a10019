import { env } from 'cloudflare:workers'
import { vi } from 'vitest'

/** Makes D1 hold all replies from now on; `letGo` releases them. */
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
