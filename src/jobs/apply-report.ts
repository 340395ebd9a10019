import { entryText } from './entry-text.ts'
import { type Entry, type EntryKind, isFinished, type Job, type JobStatus } from './job.ts'
import { isMetadataTooLarge, mergeMetadata } from './metadata.ts'
import type { Report, ReportedEntry } from './report.ts'
import { type StandingChange, type StandingOf, Tally } from './standing.ts'

/** What a report made of a job. `entries` and `standings` are what the job gained by it. */
export type ReportOutcome =
  | { ok: true; job: Job; entries: Entry[]; standings: StandingChange[] }
  | { ok: false; reason: 'closed'; status: JobStatus }
  | { ok: false; reason: 'metadata_too_large' }

/**
 * Applies one report to a job, whole or not at all: pure, so that the same reports always make the same job.
 * The order is fixed: started, total, processed, metadata, stage, message, entries, completed or failed.
 * `now` is milliseconds since the epoch; `standingOf` answers for the entries before this report.
 */
export function applyReport(job: Job, report: Report, now: number, standingOf: StandingOf): ReportOutcome {
  if (isFinished(job.status)) {
    return repeatsFinish(job, report)
      ? { ok: true, job, entries: [], standings: [] }
      : { ok: false, reason: 'closed', status: job.status }
  }

  const metadata = mergeMetadata(job.metadata, report)
  if (isMetadataTooLarge(metadata, job.metadata)) return { ok: false, reason: 'metadata_too_large' }

  const tally = new Tally(job, standingOf)
  const entries = [
    ...appended('error', report.errors, job.errorCount, now, tally),
    ...appended('warning', report.warnings, job.warningCount, now, tally),
  ]
  const next: Job = {
    ...job,
    totalItems: report.totalItems ?? job.totalItems,
    processedItems: report.processedItems ?? job.processedItems,
    failedItems: tally.failedItems,
    warnedItems: tally.warnedItems,
    errorCount: job.errorCount + (report.errors?.length ?? 0),
    warningCount: job.warningCount + (report.warnings?.length ?? 0),
    metadata,
    updatedAt: now,
    revision: job.revision + 1,
  }
  if (report.markStarted) start(next, now)
  if (report.markFailed !== undefined) fail(next, report.markFailed, now)
  else if (report.markCompleted) complete(next, now)
  return { ok: true, job: next, entries, standings: tally.changes }
}

/**
 * Whether a report says of a finished job only what is known already: the same mark again and nothing else. A worker
 * whose reply got lost may so repeat its last report safely.
 */
function repeatsFinish(job: Job, report: Report): boolean {
  const { markCompleted, markFailed, ...rest } = report
  if (Object.keys(rest).length > 0) return false
  if (markFailed !== undefined) return job.status === 'failed' && job.errorMessage === markFailed
  return markCompleted === true && completedStatus(job) === job.status
}

function appended(
  kind: EntryKind,
  reported: ReportedEntry[] = [],
  count: number,
  now: number,
  tally: Tally,
): Entry[] {
  return reported.map((entry, index) => {
    tally.add(kind, entry)
    return { kind, seq: count + index + 1, text: entryText(entry, now) }
  })
}

function start(job: Job, now: number): void {
  job.status = 'in_progress'
  job.startedAt ??= now
}

function complete(job: Job, now: number): void {
  job.startedAt ??= now
  job.completedAt = now
  job.status = completedStatus(job)
}

/** Failing wins over completing: a report of failure is never lost. */
function fail(job: Job, message: string, now: number): void {
  job.completedAt = now
  job.status = 'failed'
  job.errorMessage = message
}

function completedStatus(job: Job): JobStatus {
  if (job.errorCount > 0 || job.failedItems > 0) return 'partial_success'
  return job.warningCount > 0 ? 'completed_with_warnings' : 'completed'
}
