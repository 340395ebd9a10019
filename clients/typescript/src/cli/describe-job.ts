import type { JobSummary } from '../job.ts'
import { isFinished } from '../statuses.ts'
import { formatCount, formatDuration, formatRate, plural } from './format.ts'
import { printable } from './printable.ts'
import { toTable } from './table.ts'

/** "620 of 1,000 done, 2 failed, 1 with warnings" */
function describeCounts(job: JobSummary): string {
  const { processedItems, totalItems, failedItems, warnedItems } = job
  return [
    `${formatCount(processedItems)}${totalItems > 0 ? ` of ${formatCount(totalItems)}` : ''} done`,
    failedItems > 0 && `${formatCount(failedItems)} failed`,
    warnedItems > 0 && `${formatCount(warnedItems)} with warnings`,
  ]
    .filter((part) => part !== false)
    .join(', ')
}

/** What there is to say about a finished job, in a few lines. */
export function summarize(job: JobSummary): string {
  const after = job.durationSeconds === null ? '' : ` after ${formatDuration(job.durationSeconds)}`
  const counters = describeCounters(job.counters)
  return [
    printable(`${job.jobId} (${job.jobType}) ${job.status}${after}: ${describeCounts(job)}`),
    ...(job.errorMessage ?? '').split('\n').map(printable),
    counters && printable(`counters: ${counters}`),
    job.errorCount > 0 && `${plural(job.errorCount, 'error')}: milepost errors ${printable(job.jobId)}`,
    job.warningCount > 0 &&
      `${plural(job.warningCount, 'warning')}: milepost warnings ${printable(job.jobId)}`,
  ]
    .filter(Boolean)
    .join('\n')
}

/** All of a job that a person wants to know, one line each. */
export function describeJob(job: JobSummary): string {
  const { stage, last_message: message } = job.metadata
  const own = Object.entries(job.metadata).filter(([name]) => name !== 'stage' && name !== 'last_message')
  const rows: [string, string | number | null | undefined | false][] = [
    ['job', job.jobId],
    ['type', job.jobType],
    ['status', isFinished(job.status) ? job.status : `${job.status}, ${job.progressPercentage}%`],
    ['items', describeCounts(job)],
    ['rate', job.ratePerSecond !== null && `${formatRate(job.ratePerSecond)}/s`],
    ['time left', job.etaSeconds !== null && formatDuration(job.etaSeconds)],
    ['stage', isText(stage) && stage],
    ['message', isText(message) && message],
    ['error', job.errorMessage],
    ['errors', job.errorCount > 0 && formatCount(job.errorCount)],
    ['warnings', job.warningCount > 0 && formatCount(job.warningCount)],
    ['counters', describeCounters(job.counters)],
    ['metadata', own.length > 0 && JSON.stringify(Object.fromEntries(own))],
    [
      'labels',
      Object.entries(job.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    ],
    ['parent', job.parentJobId],
    ['triggered by', job.triggeredBy],
    ['created', job.createdAt],
    ['started', job.startedAt],
    ['completed', job.completedAt],
    ['duration', job.durationSeconds !== null && formatDuration(job.durationSeconds)],
    ['stalled', job.stalledAt && `since ${job.stalledAt}`],
    ['late', job.lateAt && `since ${job.lateAt}`],
  ]
  return toTable(rows.filter(([, value]) => isText(value)).map(([name, value]) => [name, String(value)]))
}

function describeCounters(counters: Record<string, number>): string {
  return Object.entries(counters)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
    .join(', ')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
