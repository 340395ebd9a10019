/** Passes values on with at least `intervalMs` between them. Of those in between, the newest follows when its time has come. */
export function spaced<T>(intervalMs: number, pass: (value: T) => void) {
  let waiting: { value: T } | undefined
  let timer: NodeJS.Timeout | undefined
  const next = () => {
    timer = undefined
    const { value } = waiting ?? {}
    if (waiting === undefined) return
    waiting = undefined
    pass(value as T)
    timer = setTimeout(next, intervalMs)
  }
  return {
    add(value: T): void {
      waiting = { value }
      if (timer === undefined) next()
    },
    /** Passes on what waits, at once. */
    flush(): void {
      clearTimeout(timer)
      next()
      clearTimeout(timer)
    },
  }
}
