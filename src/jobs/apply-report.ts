import { addCounters, addUp } from './counters.ts'
import { lateAtBy } from './deadlines.ts'
import { entryText } from './entry-text.ts'
import { isFinalReport } from './final-report.ts'
import { finish } from './finish-job.ts'
import {
  type Entry,
  type EntryKind,
  type FinishedStatus,
  isFinished,
  type Job,
  type Report,
  type ReportedEntry,
} from './job.ts'
import { MAX_COUNTERS, MAX_ENTRIES } from './limits.ts'
import { isMetadataTooLarge, mergeMetadata } from './metadata.ts'
import { type ChangeOutcome, changed } from './outcome.ts'
import { withSample } from './pace.ts'
import { withStage } from './stages.ts'
import { type EntityStateOf, Tally } from './tally.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/**
 * Applies one report to a job, in full or not at all. Pure: the same reports always make the same job. The order is
 * fixed: started, total, processed and counters, metadata, stage, message, entries, completed or failed. `now` is in ms
 * since the epoch; `stateOf` knows the entries before this report; `maxEntryBytes` bounds the bytes of the entries that
 * the job keeps.
 */
export function applyReport(
  job: Job,
  report: Report,
  now: number,
  stateOf: EntityStateOf,
  maxEntryBytes: number,
): ChangeOutcome {
  if (isFinished(job.status) && !isFinalReport(job, report, now)) {
    return repeatsFinish(job, report) ? changed(job) : { ok: false, reason: 'closed', status: job.status }
  }

  const metadata = mergeMetadata(job.metadata, report)
  if (isMetadataTooLarge(metadata, job.metadata)) return { ok: false, reason: 'metadata_too_large' }

  // A mark is never lost to a bound: a report that finishes the job leaves out the counters that it has no room for.
  const { counters, notKept } = addCounters(job.counters, report.counters)
  if (notKept > 0 && !finishesJob(report))
    return { ok: false, reason: 'too_many_counters', names: MAX_COUNTERS + notKept }

  const { errors = [], warnings = [] } = report
  const tally = new Tally(job, stateOf)
  for (const entry of errors) tally.add('error', entry)
  for (const entry of warnings) tally.add('warning', entry)

  const room = {
    entries: MAX_ENTRIES - job.keptErrors - job.keptWarnings,
    usedBytes: job.entryBytes,
    maxBytes: maxEntryBytes,
  }
  const keptErrors = takeFitting('error', errors, job.keptErrors, room, now)
  const keptWarnings = takeFitting('warning', warnings, job.keptWarnings, room, now)

  const next: Job = {
    ...job,
    totalItems: report.totalItems ?? job.totalItems,
    processedItems: report.processedItems ?? addUp(job.processedItems, report.processedDelta ?? 0),
    counters,
    countersNotKept: job.countersNotKept + notKept,
    ...tally.counts,
    errorCount: job.errorCount + errors.length,
    warningCount: job.warningCount + warnings.length,
    keptErrors: job.keptErrors + keptErrors.length,
    keptWarnings: job.keptWarnings + keptWarnings.length,
    entryBytes: room.usedBytes,
    metadata,
    finalReportUntil: null,
    updatedAt: now,
    stalledAt: null,
    // It may be late though its object has not noticed: the runtime may have been down.
    lateAt: lateAtBy(job, now),
    stages: withStage(job.stages, report.stage, job.completedAt ?? Math.max(now, job.createdAt)),
    revision: job.revision + 1,
  }
  if (report.markStarted) start(next, now)
  // Failing wins over completing: a report of failure is never lost.
  if (report.markFailed !== undefined) finish(next, 'failed', report.markFailed, now)
  else if (report.markCompleted) complete(next, now)
  if (next.status === 'in_progress') {
    next.pace = withSample(job.pace, now, next.processedItems + next.failedItems)
  }
  return {
    ok: true,
    job: next,
    entries: [...keptErrors, ...keptWarnings],
    entities: tally.changes,
    ...(report.message !== undefined && { message: report.message }),
  }
}

/** Whether a report finishes its job. */
function finishesJob({ markCompleted, markFailed }: Report): boolean {
  return markCompleted === true || markFailed !== undefined
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

/** How many more entries a job may keep, how many bytes it has, and how many it may have. */
interface Room {
  entries: number
  usedBytes: number
  maxBytes: number
}

/** Takes the entries that fit, and updates `room`. After an entry that is too large, a smaller one may still fit. */
function takeFitting(
  kind: EntryKind,
  reported: ReportedEntry[],
  kept: number,
  room: Room,
  now: number,
): Entry[] {
  const entries: Entry[] = []
  for (const entry of reported) {
    if (room.entries <= 0) break
    const text = entryText(entry, now)
    const bytes = utf8Bytes(text)
    if (room.usedBytes + bytes > room.maxBytes) continue
    room.entries--
    room.usedBytes += bytes
    entries.push({ kind, seq: kept + entries.length + 1, text })
  }
  return entries
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
