import { isFinished, type Job } from './job.ts'
import { type ChangeOutcome, changed } from './outcome.ts'

/** When an unfinished job misses its next deadline, in ms since the epoch; undefined: never, or it has missed one already. */
export function lateDue(job: Job): number | undefined {
  if (isFinished(job.status) || job.lateAt !== null) return undefined
  const { startWithinSeconds, finishWithinSeconds } = job
  const seconds = Math.min(
    job.status === 'pending' ? (startWithinSeconds ?? Infinity) : Infinity,
    finishWithinSeconds ?? Infinity,
  )
  return seconds === Infinity ? undefined : job.createdAt + seconds * 1_000
}

/** When the job was found to have missed a deadline: `now`, if it has and nobody has noted it yet. */
export function lateAtBy(job: Job, now: number): number | null {
  const due = lateDue(job)
  return due === undefined || now < due ? job.lateAt : now
}

/** Flags a job that has missed a deadline. Nothing clears the flag, and the job goes on. */
export function flagLate(job: Job, now: number): ChangeOutcome {
  const lateAt = lateAtBy(job, now)
  return changed(lateAt === job.lateAt ? job : { ...job, lateAt, revision: job.revision + 1 })
}
