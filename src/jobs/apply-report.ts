import { entryText } from './entry-text.ts'
import { finish } from './finish-job.ts'
import {
  type Entry,
  type EntryKind,
  type FinishedStatus,
  isFinished,
  type Job,
  type JsonObject,
} from './job.ts'
import { MAX_ENTRIES } from './limits.ts'
import { isMetadataTooLarge, mergeMetadata } from './metadata.ts'
import { type ChangeOutcome, changed } from './outcome.ts'
import { withSample } from './pace.ts'
import { withStage } from './stages.ts'
import { type EntityStateOf, Tally } from './tally.ts'

/** An error or warning as a worker reports it. The job adds its number and time. */
export interface ReportedEntry {
  entityKey: string
  entityType: string
  errorType: string
  message: string
  step: string | null
  details: JsonObject | null
}

/** One progress report. Absent fields have no effect; the others take effect in one step. */
export interface Report {
  markStarted?: true
  totalItems?: number
  processedItems?: number
  metadataPatch?: JsonObject
  stage?: string
  message?: string
  errors?: ReportedEntry[]
  warnings?: ReportedEntry[]
  markCompleted?: true
  /** The error message of the failed job. An empty one fails it too. */
  markFailed?: string
}

/**
 * Applies one report to a job, in full or not at all. Pure: the same reports always make the same job. The order is
 * fixed: started, total, processed, metadata, stage, message, entries, completed or failed. `now` is in ms since the
 * epoch; `stateOf` knows the entries before this report.
 */
export function applyReport(job: Job, report: Report, now: number, stateOf: EntityStateOf): ChangeOutcome {
  if (isFinished(job.status)) {
    return repeatsFinish(job, report) ? changed(job) : { ok: false, reason: 'closed', status: job.status }
  }

  const metadata = mergeMetadata(job.metadata, report)
  if (isMetadataTooLarge(metadata, job.metadata)) return { ok: false, reason: 'metadata_too_large' }

  const { errors = [], warnings = [] } = report
  const tally = new Tally(job, stateOf)
  for (const entry of errors) tally.add('error', entry)
  for (const entry of warnings) tally.add('warning', entry)

  const room = MAX_ENTRIES - job.keptErrors - job.keptWarnings
  const keptErrors = append('error', errors.slice(0, room), job.keptErrors, now)
  const keptWarnings = append('warning', warnings.slice(0, room - keptErrors.length), job.keptWarnings, now)

  const next: Job = {
    ...job,
    totalItems: report.totalItems ?? job.totalItems,
    processedItems: report.processedItems ?? job.processedItems,
    ...tally.counts,
    errorCount: job.errorCount + errors.length,
    warningCount: job.warningCount + warnings.length,
    keptErrors: job.keptErrors + keptErrors.length,
    keptWarnings: job.keptWarnings + keptWarnings.length,
    metadata,
    updatedAt: now,
    stalledAt: null,
    stages: withStage(job.stages, report.stage, Math.max(now, job.createdAt)),
    revision: job.revision + 1,
  }
  if (report.markStarted) start(next, now)
  // Failing wins over completing: a report of failure is never lost.
  if (report.markFailed !== undefined) finish(next, 'failed', report.markFailed, now)
  else if (report.markCompleted) complete(next, now)
  if (next.status === 'in_progress') {
    next.pace = withSample(job.pace, now, next.processedItems + next.failedItems)
  }
  return { ok: true, job: next, entries: [...keptErrors, ...keptWarnings], entities: tally.changes }
}

/**
 * Whether a report on a finished job only repeats the mark that finished it. A worker that lost the reply to its last
 * report can then safely send it again.
 */
function repeatsFinish(job: Job, report: Report): boolean {
  const { markCompleted, markFailed, ...rest } = report
  if (Object.keys(rest).length > 0) return false
  if (markFailed !== undefined) return job.status === 'failed' && job.errorMessage === markFailed
  return markCompleted === true && completedStatus(job) === job.status
}

function append(kind: EntryKind, reported: ReportedEntry[], kept: number, now: number): Entry[] {
  return reported.map((entry, index) => ({ kind, seq: kept + index + 1, text: entryText(entry, now) }))
}

function start(job: Job, now: number): void {
  job.status = 'in_progress'
  noteStart(job, now)
}

function complete(job: Job, now: number): void {
  noteStart(job, now)
  finish(job, completedStatus(job), job.errorMessage, now)
}

/** A job never starts before it was created, even if the clock was set back in between. */
function noteStart(job: Job, now: number): void {
  job.startedAt ??= Math.max(now, job.createdAt)
}

function completedStatus(job: Job): FinishedStatus {
  if (job.errorCount > 0 || job.failedItems > 0) return 'partial_success'
  return job.warningCount > 0 ? 'completed_with_warnings' : 'completed'
}
