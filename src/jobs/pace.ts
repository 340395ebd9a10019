import type { Job, Sample } from './job.ts'
import { SAMPLE_SPACING, SAMPLE_WINDOW } from './limits.ts'

/** The least time that a rate is computed over, in ms. */
const MIN_DURATION = 3_000

/** The samples after a report at `now` (ms since the epoch) with `done` items handled. */
export function withSample(pace: Sample[], now: number, done: number): Sample[] {
  const last = pace.at(-1)
  const beganAnew = last !== undefined && (done < last.done || now < last.at)
  // A rate that spans a long silence does not show the current speed.
  const wasSilent = last !== undefined && now - last.at > SAMPLE_WINDOW
  if (beganAnew || wasSilent) return [{ at: now, done }]
  if (last !== undefined && now - last.at < SAMPLE_SPACING) return pace
  // One sample older than the window stays, so the whole window is covered.
  const from = pace.findLastIndex(({ at }) => at <= now - SAMPLE_WINDOW)
  return [...pace.slice(Math.max(0, from)), { at: now, done }]
}

/**
 * Items handled per second over the last minutes; null while there are too few samples. `now` is in ms since the epoch.
 */
export function ratePerSecond(job: Job, now: number): number | null {
  const [first] = job.pace
  if (job.status !== 'in_progress' || first === undefined || now - first.at < MIN_DURATION) return null
  const done = job.processedItems + job.failedItems - first.done
  return done > 0 ? (done / (now - first.at)) * 1_000 : null
}

/** Seconds until everything is handled at the recent rate; null if unknown. */
export function etaSeconds(job: Job, now: number): number | null {
  const rate = ratePerSecond(job, now)
  const left = job.totalItems - job.processedItems - job.failedItems
  return rate === null || left < 0 || job.totalItems === 0 ? null : Math.round(left / rate)
}
