/** The one place where camelCase becomes the wire's snake_case, and back. */
import type {
  EntityEntry,
  EntryGroup,
  EntryGroups,
  ErrorGroup,
  ErrorGroups,
  Job,
  JobChildren,
  JobCount,
  JobEntry,
  JobHistory,
  JobMessage,
  JobProgress,
  JobStage,
  JobSummary,
  JobType,
  JobWithRelatives,
  LinkedJob,
  NewJob,
  Report,
  ReportedEntry,
} from './job.ts'

type Wire = Record<string, unknown>

/** Builds the body of a create request. JSON.stringify drops undefined fields, here and below. */
export function writeNewJob(job: NewJob): Wire {
  return {
    job_type: job.jobType,
    total_items: job.totalItems,
    metadata: job.metadata,
    labels: job.labels,
    parent_job_id: job.parentJobId,
    triggered_by: job.triggeredBy,
    stall_after_seconds: job.stallAfterSeconds,
    start_within_seconds: job.startWithinSeconds,
    finish_within_seconds: job.finishWithinSeconds,
    callback_url: job.callbackUrl,
  }
}

/** The names on the wire of a report's fields. The entries have their own shape: see `writeEntry`. */
export const REPORT_FIELDS = {
  markStarted: 'mark_started',
  totalItems: 'total_items',
  processedItems: 'processed_items',
  processedDelta: 'processed_delta',
  counters: 'counters',
  metadataPatch: 'metadata_patch',
  stage: 'stage',
  message: 'message',
  markCompleted: 'mark_completed',
  markFailed: 'mark_failed',
} as const satisfies Record<Exclude<keyof Report, 'error' | 'warning' | 'errors' | 'warnings'>, string>

export function writeEntry(entry: ReportedEntry): Wire {
  return {
    entity_key: entry.entityKey,
    entity_type: entry.entityType,
    error_type: entry.errorType,
    message: entry.message,
    step: entry.step,
    details: entry.details,
  }
}

/** Reads a job. Throws a TypeError if the reply is not a job, because the URL is not the API's. */
export function readJob(reply: unknown): Job {
  const job = asWire(reply)
  return { ...readSummary(job), errors: readEntries(job.errors), warnings: readEntries(job.warnings) }
}

/** Reads a job with its relatives, as it is read alone. */
export function readFullJob(reply: unknown): JobWithRelatives {
  const { children, linked_from } = asWire(reply)
  return { ...readJob(reply), children: readChildren(children), linkedFrom: readLinked(linked_from) }
}

function readChildren(children: unknown): JobChildren | null {
  if (children === null || children === undefined) return null
  const { count, is_exact, by_status, total_items, processed_items, failed_items } = asWire(children)
  return {
    count: Number(count),
    isExact: is_exact === true,
    byStatus: asWire(by_status) as JobChildren['byStatus'],
    totalItems: Number(total_items),
    processedItems: Number(processed_items),
    failedItems: Number(failed_items),
  }
}

function readLinked(linked: unknown): LinkedJob[] | null {
  if (!Array.isArray(linked)) return null
  return asList(linked).map(({ job_id, job_type, status }) => ({
    jobId: String(job_id),
    jobType: String(job_type),
    status: status as JobSummary['status'],
  }))
}

/** The same for a job without its entries. */
export function readSummary(reply: unknown): JobSummary {
  const job = asWire(reply)
  if (typeof job.job_id !== 'string' || typeof job.status !== 'string')
    throw new TypeError('The reply is not a job. Does the URL point to the Jobs API?')
  const or = <T>(value: unknown, absent: T) => (value ?? absent) as T
  return {
    jobId: job.job_id,
    jobType: or(job.job_type, ''),
    status: job.status as JobSummary['status'],
    totalItems: or(job.total_items, 0),
    processedItems: or(job.processed_items, 0),
    failedItems: or(job.failed_items, 0),
    warnedItems: or(job.warned_items, 0),
    progressPercentage: or(job.progress_percentage, 0),
    successRate: or(job.success_rate, 0),
    counters: or(job.counters, {}),
    countersNotKept: or(job.counters_not_kept, 0),
    metadata: or(job.metadata, {}),
    labels: or(job.labels, {}),
    parentJobId: or(job.parent_job_id, null),
    triggeredBy: or(job.triggered_by, null),
    callbackUrl: or(job.callback_url, null),
    errorMessage: or(job.error_message, null),
    createdAt: or(job.created_at, null),
    startedAt: or(job.started_at, null),
    completedAt: or(job.completed_at, null),
    durationSeconds: or(job.duration_seconds, null),
    etaSeconds: or(job.eta_seconds, null),
    ratePerSecond: or(job.rate_per_second, null),
    stallAfterSeconds: or(job.stall_after_seconds, null),
    stalledAt: or(job.stalled_at, null),
    startWithinSeconds: or(job.start_within_seconds, null),
    finishWithinSeconds: or(job.finish_within_seconds, null),
    lateAt: or(job.late_at, null),
    errorCount: or(job.error_count, 0),
    warningCount: or(job.warning_count, 0),
    entryBytes: or(job.entry_bytes, 0),
    entriesNotKept: or(job.entries_not_kept, 0),
    entitiesNotKept: or(job.entities_not_kept, 0),
    stages: readStages(job.stages),
  }
}

function readStages(stages: unknown): JobStage[] {
  return asList(stages).map(({ stage, started_at }) => ({
    stage: String(stage),
    startedAt: (started_at ?? null) as JobStage['startedAt'],
  }))
}

export function readMessage(reply: unknown): JobMessage {
  const { seq, timestamp, message } = asWire(reply)
  return { seq: Number(seq), timestamp: String(timestamp), message: String(message) }
}

export function readCount(reply: unknown): JobCount {
  const { hour, job_type, status, jobs } = asWire(reply)
  return {
    hour: String(hour),
    jobType: String(job_type),
    status: status as JobCount['status'],
    jobs: Number(jobs),
  }
}

export function readJobType(reply: unknown): JobType {
  const type = asWire(reply)
  const measure = (value: unknown) => (value ?? null) as number | null
  return {
    jobType: String(type.job_type),
    jobs: Number(type.jobs),
    medianDurationSeconds: measure(type.median_duration_seconds),
    p90DurationSeconds: measure(type.p90_duration_seconds),
    medianRatePerSecond: measure(type.median_rate_per_second),
    p90RatePerSecond: measure(type.p90_rate_per_second),
  }
}

export function readHistory(reply: unknown): JobHistory {
  const { points, stages } = asWire(reply)
  return {
    points: asList(points).map(({ timestamp, processed_items, failed_items }) => ({
      timestamp: String(timestamp),
      processedItems: Number(processed_items),
      failedItems: Number(failed_items),
    })),
    stages: readStages(stages),
  }
}

export function readProgress(reply: unknown): JobProgress {
  const { jobId, status, totalItems, processedItems, failedItems, progressPercentage } = readSummary(reply)
  const { stage } = asWire(reply)
  return { jobId, status, totalItems, processedItems, failedItems, progressPercentage, stage }
}

export function readEntries(entries: unknown): JobEntry[] {
  return asList(entries).map(readEntry)
}

export function readEntityEntries(entries: unknown): EntityEntry[] {
  return asList(entries).map((entry) => ({
    kind: entry.kind as EntityEntry['kind'],
    jobId: String(entry.job_id),
    jobType: String(entry.job_type),
    ...readEntry(entry),
  }))
}

function readEntry(entry: Wire): JobEntry {
  return {
    entityKey: String(entry.entity_key),
    entityType: String(entry.entity_type),
    errorType: String(entry.error_type),
    message: String(entry.message),
    step: (entry.step ?? null) as JobEntry['step'],
    details: (entry.details ?? null) as JobEntry['details'],
    timestamp: String(entry.timestamp),
  }
}

export function readGroups(reply: unknown): EntryGroups {
  const { errors, other_errors, warnings, other_warnings } = asWire(reply)
  return {
    errors: asList(errors).map(readGroup),
    otherErrors: Number(other_errors),
    warnings: asList(warnings).map(readGroup),
    otherWarnings: Number(other_warnings),
  }
}

function readGroup(group: Wire): EntryGroup {
  const { entity_type, entity_key, message } = asWire(group.sample)
  return {
    errorType: String(group.error_type),
    count: Number(group.count),
    firstSeen: (group.first_seen ?? null) as EntryGroup['firstSeen'],
    lastSeen: (group.last_seen ?? null) as EntryGroup['lastSeen'],
    sample: group.sample
      ? { entityType: String(entity_type), entityKey: String(entity_key), message: String(message) }
      : null,
  }
}

export function readErrorGroups(reply: unknown): ErrorGroups {
  const groups = asWire(reply)
  return {
    since: String(groups.since),
    until: String(groups.until),
    previousSince: String(groups.previous_since),
    isPartial: groups.is_partial === true,
    errors: asList(groups.errors).map(readErrorGroup),
    otherErrors: Number(groups.other_errors),
    warnings: asList(groups.warnings).map(readErrorGroup),
    otherWarnings: Number(groups.other_warnings),
  }
}

function readErrorGroup(group: Wire): ErrorGroup {
  return {
    errorType: String(group.error_type),
    entries: Number(group.entries),
    jobs: Number(group.jobs),
    previousEntries: Number(group.previous_entries),
    previousJobs: Number(group.previous_jobs),
  }
}

export function asWire(value: unknown): Wire {
  return typeof value === 'object' && value !== null ? (value as Wire) : {}
}

export function asList(value: unknown): Wire[] {
  return Array.isArray(value) ? value.map(asWire) : []
}
