/** A promise of false after `ms`, and the way to be rid of it. */
export function timeout(ms: number): { over: Promise<false>; cancel: () => void } {
  const { promise, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(() => resolve(false), ms)
  return { over: promise, cancel: () => clearTimeout(timer) }
}
