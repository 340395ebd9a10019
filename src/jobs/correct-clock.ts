import type { Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

/** The clocks of two machines may differ by this many ms without either having been set back. */
const SKEW = 60_000

/** Whether the job holds a time in the future: the clock has been set back since. */
export function isAheadOfClock(job: Job, now: number): boolean {
  return job.updatedAt > now + SKEW || attemptIsAhead(job, now)
}

/**
 * Moves times in the future to now. Otherwise a stall, or the next delivery, would come late by as much as the clock
 * was set back, and a final report would be taken for longer.
 */
export function correctClock(job: Job, now: number): ChangeOutcome {
  if (!isAheadOfClock(job, now)) return changed(job)
  return changed({
    ...job,
    updatedAt: Math.min(job.updatedAt, now),
    finalReportUntil: movedBack(job, now),
    attempts: job.attempts.map((attempt) => ({ ...attempt, at: Math.min(attempt.at, now) })),
    nextDeliveryAt: job.nextDeliveryAt === null ? null : Math.min(job.nextDeliveryAt, now),
    revision: job.revision + 1,
  })
}

/** A cancellation sets both times, so the rest of the time for a final report starts again now. */
function movedBack({ finalReportUntil, updatedAt }: Job, now: number): number | null {
  return finalReportUntil === null ? null : finalReportUntil - Math.max(0, updatedAt - now)
}

function attemptIsAhead({ attempts, nextDeliveryAt }: Job, now: number): boolean {
  return nextDeliveryAt !== null && (attempts.at(-1)?.at ?? 0) > now + SKEW
}
