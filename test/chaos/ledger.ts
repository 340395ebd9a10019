import type { Tenant } from './edge-commands.ts'

/** What the workers sent and how it was answered, kept outside the edge. Afterwards the edge is compared with it. */

/** `refused`: answered with a 4xx, so none of it may be there. `unanswered`: it may be there, whole and once. */
export type Outcome = 'acknowledged' | 'refused' | 'unanswered'
export type Mark = 'started' | 'completed' | 'failed'

/** One report. However often it was sent, it must take effect once. */
export interface SentReport {
  worker: string
  /** The worker's sequence number. A worker awaits each report before it sends the next. */
  n: number
  /** The entity keys of its entries, in order. Every report has at least one, and no key is ever reused. */
  errors: string[]
  warnings: string[]
  mark?: Mark
  /** Whether it set `metadata[worker]` and `processed_items` to `n`. */
  marked: boolean
  /** How many revisions of the job it takes. Default 1. */
  revisions?: number
  outcome: Outcome
}

/** A job whose create was acknowledged. */
export interface LedgerJob {
  jobId: string
  tenant: Tenant
  totalItems: number
  reports: SentReport[]
  /** How many times the edge's clock was set back since the job was created. Each time may have taken a revision. */
  clockSetBacks: number
  /** Wrong replies during the run, for instance a retry that was answered differently. */
  complaints: string[]
}

export interface RecordedEntry {
  seq: number
  text: string
}

/** A job in the edge and in D1, once everything is quiet. */
export interface SeenJob {
  /** The reply to a GET of the job; null if it was 404. */
  job: Record<string, unknown> | null
  /** The lines of the streamed entries. */
  errors: string[]
  warnings: string[]
  /** D1's row, by column name; null if there is none. */
  row: Record<string, unknown> | null
  recordedErrors: RecordedEntry[]
  recordedWarnings: RecordedEntry[]
  /** How many rows the databases of other tenants have of the job and its entries. */
  strayRows: number
}

export interface Verdict {
  /** Acknowledged, but missing in whole or in part. */
  lost: string[]
  /** There more than once. */
  doubled: string[]
  /** Any other inconsistency. */
  disagreements: string[]
}

/** Counts the acknowledged entries of a job. D1 is behind as long as it has fewer. */
export function countAcknowledged(ledger: LedgerJob): { errors: number; warnings: number } {
  const acknowledged = ledger.reports.filter(({ outcome }) => outcome === 'acknowledged')
  return {
    errors: acknowledged.reduce((sum, { errors }) => sum + errors.length, 0),
    warnings: acknowledged.reduce((sum, { warnings }) => sum + warnings.length, 0),
  }
}

/** The statuses that a job may have after all of its reports, given whether it has errors and warnings. */
export function possibleStatuses(ledger: LedgerJob, hasErrors: boolean, hasWarnings: boolean): string[] {
  const outcomeOf = (wanted: (mark: Mark | undefined) => boolean): Outcome | undefined => {
    const outcomes = ledger.reports.filter(({ mark }) => wanted(mark)).map(({ outcome }) => outcome)
    return outcomes.includes('acknowledged') ? 'acknowledged' : outcomes.find((one) => one === 'unanswered')
  }
  const completed = outcomeOf((mark) => mark === 'completed')
  const failed = outcomeOf((mark) => mark === 'failed')
  const statuses: string[] = []
  if (completed !== undefined) {
    statuses.push(hasErrors ? 'partial_success' : hasWarnings ? 'completed_with_warnings' : 'completed')
  }
  if (failed !== undefined) statuses.push('failed')
  if (completed === 'acknowledged' || failed === 'acknowledged') return statuses
  const started = outcomeOf((mark) => mark === 'started')
  if (started !== undefined) statuses.push('in_progress')
  if (started !== 'acknowledged') statuses.push('pending')
  return statuses
}
