const INTERVAL_MS = 10_000

/** Writes problems to the console, but at most one in ten seconds: a worker may meet the same one a thousand times. */
export function warnThrottled(): (problem: Error) => void {
  let warnedAt = Number.NEGATIVE_INFINITY
  let skipped = 0
  return (problem) => {
    const now = performance.now()
    if (now - warnedAt < INTERVAL_MS) {
      skipped++
      return
    }
    const more = skipped > 0 ? ` (and ${skipped} more problems since the last line)` : ''
    console.warn(`milepost: ${problem.name}: ${problem.message}${more}`)
    warnedAt = now
    skipped = 0
  }
}
