import type { Counters } from './job.ts'
import { MAX_COUNTERS, MAX_INTEGER } from './limits.ts'

/** A count after `more` has been added. It stops at the largest integer: a report is not refused for a full count. */
export function addUp(count: number, more: number): number {
  return Math.min(count + more, MAX_INTEGER)
}

/**
 * The counters after a report has added its own. Names beyond `MAX_COUNTERS` are left out, and `notKept` is their number.
 * The same object if there is nothing to add.
 */
export function addCounters(
  counters: Counters,
  more: Counters | undefined,
): { counters: Counters; notKept: number } {
  if (more === undefined) return { counters, notKept: 0 }
  const sums = new Map(Object.entries(counters))
  let notKept = 0
  for (const [name, count] of Object.entries(more)) {
    if (sums.has(name) || sums.size < MAX_COUNTERS) sums.set(name, addUp(sums.get(name) ?? 0, count))
    else notKept++
  }
  // This defines keys instead of assigning them, so `__proto__` stays an ordinary name.
  return { counters: Object.fromEntries(sums), notKept }
}
