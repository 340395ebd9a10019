/** What the workers sent and were told, kept outside of the edge: what the edge is measured by afterwards. */

/** `refused`: answered with a 4xx, so nothing of it may be there. `unanswered`: it may be there, whole and once. */
export type Outcome = 'acknowledged' | 'refused' | 'unanswered'
export type Mark = 'started' | 'completed' | 'failed'

/** One report, as its worker meant it. How often it was sent does not count: it is to take effect once. */
export interface SentReport {
  worker: string
  /** The worker's own number of it; a worker awaits each before the next. */
  n: number
  /** The keys of the entities that it brought, in order; together at least one, and none is ever used twice. */
  errors: string[]
  warnings: string[]
  mark?: Mark
  /** Whether it set `metadata[worker]` and `processed_items` to `n`. */
  marked: boolean
  /** Revisions of the job that it takes, 1 unless told otherwise. */
  revisions?: number
  outcome: Outcome
}

/** A job whose create was acknowledged. */
export interface LedgerJob {
  jobId: string
  totalItems: number
  reports: SentReport[]
  /** How often the edge's clock was set back since the job was created: each time may have cost the job a revision. */
  clockSetBacks: number
  /** What was wrong with replies already: a retry that was answered differently, for instance. */
  complaints: string[]
}

export interface RecordedEntry {
  seq: number
  text: string
}

/** A job as the edge and D1 show it once everything is quiet. */
export interface SeenJob {
  /** GET of the job; null where the edge knows none. */
  job: Record<string, unknown> | null
  /** The lines of the streamed entries. */
  errors: string[]
  warnings: string[]
  /** D1's row, its columns by their names; null where there is none. */
  row: Record<string, unknown> | null
  recordedErrors: RecordedEntry[]
  recordedWarnings: RecordedEntry[]
}

export interface Verdict {
  /** Acknowledged and not there, or not all of it. */
  lost: string[]
  /** There more often than it was sent. */
  doubled: string[]
  /** Whatever else does not fit together. */
  disagreements: string[]
}

const FINISHED = { completed: true, failed: true, started: false }

export function isFinishing(mark: Mark | undefined): mark is 'completed' | 'failed' {
  return mark !== undefined && FINISHED[mark]
}

/** How many entries of a job were acknowledged: D1 has caught up no earlier than it has as many. */
export function countAcknowledged(ledger: LedgerJob): { errors: number; warnings: number } {
  const acknowledged = ledger.reports.filter(({ outcome }) => outcome === 'acknowledged')
  return {
    errors: acknowledged.reduce((sum, { errors }) => sum + errors.length, 0),
    warnings: acknowledged.reduce((sum, { warnings }) => sum + warnings.length, 0),
  }
}

/** The statuses that a job may have after all that was sent of it, given whether errors and warnings are there. */
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
