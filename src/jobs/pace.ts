import type { Job, Sample } from './job.ts'

/** Samples reach so far back, in ms, … */
const WINDOW = 5 * 60_000
/** … and lie so far apart: at most 21 of them are kept, however often a job reports. */
const SPACING = 15_000
/** A rate over less than this many ms says too little. */
const SHORTEST = 3_000

/** The samples after a report at `now` by which `done` items are handled. */
export function withSample(pace: Sample[], now: number, done: number): Sample[] {
  const last = pace.at(-1)
  const beganAnew = last !== undefined && (done < last.done || now < last.at)
  // A rate that reaches back over a long silence says nothing of how fast it goes now.
  const wasSilent = last !== undefined && now - last.at > WINDOW
  if (beganAnew || wasSilent) return [{ at: now, done }]
  if (last !== undefined && now - last.at < SPACING) return pace
  // One sample older than the window stays, so that the window is covered whole.
  const from = pace.findLastIndex(({ at }) => at <= now - WINDOW)
  return [...pace.slice(Math.max(0, from)), { at: now, done }]
}

/** Items handled per second over the last minutes; null while there is too little to go by. `now` is ms. */
export function ratePerSecond(job: Job, now: number): number | null {
  const [first] = job.pace
  if (job.status !== 'in_progress' || first === undefined || now - first.at < SHORTEST) return null
  const done = job.processedItems + job.failedItems - first.done
  return done > 0 ? (done / (now - first.at)) * 1_000 : null
}

/** Seconds until everything is handled, should the recent rate last; null where that cannot be said. */
export function etaSeconds(job: Job, now: number): number | null {
  const rate = ratePerSecond(job, now)
  const left = job.totalItems - job.processedItems - job.failedItems
  return rate === null || left < 0 || job.totalItems === 0 ? null : Math.round(left / rate)
}
