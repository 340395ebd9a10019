import type { History } from './history.ts'
import type { Job, JobSnapshot, Stage } from './job.ts'
import type { LogLine } from './log-line.ts'
import { durationSeconds, progressPercentage, successRate } from './measures.ts'
import { etaSeconds, ratePerSecond } from './pace.ts'

/**
 * A job as callers see it: JobResponse of the published contract, as JSON. The entries are JSON already and are
 * inserted as they are. `asOf` is in ms since the epoch.
 */
export function presentJob({ job, errors, warnings }: JobSnapshot, asOf: number): string {
  const fields = JSON.stringify(presentSummary(job, asOf))
  return `${fields.slice(0, -1)},"errors":[${errors.join()}],"warnings":[${warnings.join()}]}`
}

/** A job without its entries, as in lists and events. */
export function presentSummary(job: Job, asOf: number) {
  return {
    job_id: job.jobId,
    job_type: job.jobType,
    status: job.status,
    total_items: job.totalItems,
    processed_items: job.processedItems,
    counters: job.counters,
    counters_not_kept: job.countersNotKept,
    failed_items: job.failedItems,
    warned_items: job.warnedItems,
    progress_percentage: progressPercentage(job),
    success_rate: successRate(job),
    created_at: presentTime(job.createdAt),
    started_at: presentTime(job.startedAt),
    completed_at: presentTime(job.completedAt),
    duration_seconds: durationSeconds(job, asOf),
    eta_seconds: etaSeconds(job, asOf),
    rate_per_second: ratePerSecond(job, asOf),
    stall_after_seconds: job.stallAfterSeconds,
    stalled_at: presentTime(job.stalledAt),
    start_within_seconds: job.startWithinSeconds,
    finish_within_seconds: job.finishWithinSeconds,
    late_at: presentTime(job.lateAt),
    triggered_by: job.triggeredBy,
    callback_url: job.callbackUrl,
    error_message: job.errorMessage,
    error_count: job.errorCount,
    warning_count: job.warningCount,
    entry_bytes: job.entryBytes,
    entries_not_kept: job.errorCount + job.warningCount - job.keptErrors - job.keptWarnings,
    entities_not_kept: job.entitiesNotKept,
    labels: job.labels,
    parent_job_id: job.parentJobId,
    stages: job.stages.map(presentStage),
    metadata: job.metadata,
  }
}

/** The attempts to post the job to its callback URL, oldest first. */
export function presentDeliveries(job: Job) {
  return {
    callback_url: job.callbackUrl,
    next_attempt_at: presentTime(job.nextDeliveryAt),
    deliveries: job.attempts.map(({ at, status, error }) => ({
      attempted_at: presentTime(at),
      status,
      error,
    })),
  }
}

/** The few fields that a poller needs. */
export function presentStatus(job: Job) {
  return {
    job_id: job.jobId,
    status: job.status,
    progress_percentage: progressPercentage(job),
    processed_items: job.processedItems,
    failed_items: job.failedItems,
    total_items: job.totalItems,
    stage: job.metadata.stage ?? null,
  }
}

/** A message as callers see it. */
export function presentMessage({ seq, at, text }: LogLine) {
  return { seq, timestamp: presentTime(at), message: text }
}

/** How the job went, as callers see it. */
export function presentHistory({ points }: History, { stages }: Job) {
  return {
    points: points.map(([at, processed, failed]) => ({
      timestamp: presentTime(at),
      processed_items: processed,
      failed_items: failed,
    })),
    stages: stages.map(presentStage),
  }
}

function presentStage({ stage, at }: Stage) {
  return { stage, started_at: presentTime(at) }
}

/** ISO 8601 in UTC, with milliseconds and `Z`. */
function presentTime(time: number): string
function presentTime(time: number | null): string | null
function presentTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
