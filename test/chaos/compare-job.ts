import type { LedgerJob, SeenJob, SentReport, Verdict } from './ledger.ts'
import { possibleStatuses } from './ledger.ts'

/** How many of the newest entries a GET of the job returns. */
const SHOWN = 100

/** Columns of D1's row that a GET returns unchanged under the same name. */
const SAME_NAMED = [
  'job_id',
  'job_type',
  'status',
  'total_items',
  'processed_items',
  'failed_items',
  'warned_items',
  'error_count',
  'warning_count',
  'triggered_by',
  'error_message',
]
const TIMES = ['created_at', 'started_at', 'completed_at']

/** Compares one job with its ledger. Pure, which lets unit tests prove that it finds each kind of damage. */
export function compareJob(ledger: LedgerJob, seen: SeenJob): Verdict {
  const acknowledged = ledger.reports.filter(({ outcome }) => outcome === 'acknowledged')
  if (seen.job === null) {
    const lost = ['the job itself', ...acknowledged.map(nameOf)]
    return { lost, doubled: [], disagreements: ['the job does not exist'] }
  }
  const present = {
    errors: countKeys(seen.errors),
    warnings: countKeys(seen.warnings),
  }
  const lost: string[] = []
  const disagreements = [...ledger.complaints]
  let revision = 1
  for (const report of ledger.reports) {
    const sent = report.errors.length + report.warnings.length
    const there =
      report.errors.filter((key) => present.errors.has(key)).length +
      report.warnings.filter((key) => present.warnings.has(key)).length
    if (there > 0) revision += report.revisions ?? 1
    if (report.outcome === 'acknowledged' && there < sent) lost.push(nameOf(report))
    if (report.outcome === 'unanswered' && there > 0 && there < sent) {
      disagreements.push(`${nameOf(report)} was applied in part: ${there} of ${sent} entries`)
    }
    if (report.outcome === 'refused' && there > 0)
      disagreements.push(`${nameOf(report)} was refused and applied`)
  }
  const doubled = [...surplus('error', present.errors), ...surplus('warning', present.warnings)]
  disagreements.push(
    ...findUnsent(ledger, present),
    ...checkOrder(acknowledged, seen),
    ...checkState(ledger, seen.job, present),
    ...checkRecord(seen.job, seen),
    ...checkRevision(ledger, seen.row, revision),
    ...(seen.strayRows === 0 ? [] : [`another database has ${seen.strayRows} rows of the job`]),
  )
  return { lost, doubled, disagreements }
}

type Present = { errors: Map<string, number>; warnings: Map<string, number> }

function nameOf({ worker, n, mark }: SentReport): string {
  return `report ${worker}/${n}${mark === undefined ? '' : ` (${mark})`}`
}

function keyOf(line: string): string {
  return (JSON.parse(line) as { entity_key: string }).entity_key
}

function countKeys(lines: string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const key of lines.map(keyOf)) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

function surplus(kind: string, counts: Map<string, number>): string[] {
  return [...counts].flatMap(([key, count]) => Array(count - 1).fill(`${kind} ${key}`))
}

/** Finds entries that nobody sent to this job. */
function findUnsent(ledger: LedgerJob, present: Present): string[] {
  return (['errors', 'warnings'] as const).flatMap((kind) => {
    const sent = new Set(ledger.reports.flatMap((report) => report[kind]))
    return [...present[kind].keys()]
      .filter((key) => !sent.has(key))
      .map((key) => `${kind}: nobody sent ${key}`)
  })
}

/** Each worker awaits one report before it sends the next, so its acknowledged entries must be in the order it sent them. */
function checkOrder(acknowledged: SentReport[], seen: SeenJob): string[] {
  return (['errors', 'warnings'] as const).flatMap((kind) => {
    const place = new Map(seen[kind].map((line, index) => [keyOf(line), index]))
    const latest = new Map<string, number>()
    return acknowledged.flatMap((report) =>
      report[kind].flatMap((key) => {
        const at = place.get(key)
        if (at === undefined) return []
        const isLate = at < (latest.get(report.worker) ?? -1)
        latest.set(report.worker, at)
        return isLate ? [`${kind}: ${key} is out of order`] : []
      }),
    )
  })
}

/** Compares the job's fields with what was reported. */
function checkState(ledger: LedgerJob, job: Record<string, unknown>, present: Present): string[] {
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0)
  const workers = [...new Set(ledger.reports.map(({ worker }) => worker))]
  const latest = new Map(workers.map((worker) => [worker, possibleLatest(ledger, worker)]))
  const metadata = job.metadata as Record<string, unknown>
  const set = [...latest.values()].flat()
  // The job was created with 0, and perhaps no worker has set a count yet.
  const processed = [...latest.values()].every((numbers) => numbers.includes(0))
    ? [0, ...set]
    : set.filter((n) => n > 0)
  const expected: [what: string, found: unknown, possible: unknown[]][] = [
    ['status', job.status, possibleStatuses(ledger, present.errors.size > 0, present.warnings.size > 0)],
    ['total_items', job.total_items, [ledger.totalItems]],
    // The last count to arrive wins, whichever worker sent it.
    ['processed_items', job.processed_items, processed],
    ['error_count', job.error_count, [total(present.errors)]],
    ['warning_count', job.warning_count, [total(present.warnings)]],
    // Every entity key is used once: no item fails twice, or both fails and is warned about.
    ['failed_items', job.failed_items, [present.errors.size]],
    ['warned_items', job.warned_items, [present.warnings.size]],
    ['entries_not_kept', job.entries_not_kept, [0]],
    ...workers.map((worker): [string, unknown, unknown[]] => [
      `metadata.${worker}`,
      metadata[worker] ?? 0,
      latest.get(worker) ?? [],
    ]),
  ]
  return expected
    .filter(([, found, possible]) => !possible.includes(found))
    .map(([what, found, possible]) => `${what} is ${found}, not ${[...new Set(possible)].join(' or ')}`)
}

/** The numbers that a worker may have set last: its last acknowledged one, or any unanswered one. */
function possibleLatest(ledger: LedgerJob, worker: string): number[] {
  const own = ledger.reports.filter((report) => report.worker === worker && report.marked)
  const last = own.findLast(({ outcome }) => outcome === 'acknowledged')
  const unanswered = own.filter(({ outcome }) => outcome === 'unanswered').map(({ n }) => n)
  return last === undefined ? [0, ...unanswered] : [last.n, ...unanswered]
}

/** Compares D1's row and entries with what the edge returns. */
function checkRecord(job: Record<string, unknown>, seen: SeenJob): string[] {
  const { row } = seen
  if (row === null) return ['D1 has no such job']
  const time = (value: unknown) => (typeof value === 'number' ? new Date(value).toISOString() : null)
  const pairs: [what: string, recorded: unknown, shown: unknown][] = [
    ...SAME_NAMED.map((name): [string, unknown, unknown] => [name, row[name], job[name]]),
    ...TIMES.map((name): [string, unknown, unknown] => [name, time(row[name]), job[name]]),
    ['metadata', row.metadata, JSON.stringify(job.metadata)],
    ['kept_errors', row.kept_errors, seen.errors.length],
    ['kept_warnings', row.kept_warnings, seen.warnings.length],
    ['errors', textsOf(seen.recordedErrors), seen.errors.join('\n')],
    ['warnings', textsOf(seen.recordedWarnings), seen.warnings.join('\n')],
    ['positions of errors', positionsOf(seen.recordedErrors), positionsUpTo(seen.errors.length)],
    ['positions of warnings', positionsOf(seen.recordedWarnings), positionsUpTo(seen.warnings.length)],
  ]
  const complaints = pairs
    .filter(([, recorded, shown]) => recorded !== shown)
    .map(([what, recorded, shown]) => `D1's ${what}: ${brief(recorded)}, the edge's: ${brief(shown)}`)
  for (const kind of ['errors', 'warnings'] as const) {
    if (JSON.stringify(job[kind]) !== `[${seen[kind].slice(-SHOWN).join()}]`) {
      complaints.push(`the job does not show its newest ${kind}`)
    }
  }
  return complaints
}

/** Catches reports that were applied twice, whatever was in them. */
function checkRevision({ clockSetBacks }: LedgerJob, row: SeenJob['row'], expected: number): string[] {
  if (row === null) return []
  const revision = Number(row.revision)
  if (revision >= expected && revision <= expected + clockSetBacks) return []
  const most = clockSetBacks > 0 ? ` to ${expected + clockSetBacks}` : ''
  return [`the revision is ${revision}, not ${expected}${most}`]
}

function textsOf(entries: { text: string }[]): string {
  return entries.map(({ text }) => text).join('\n')
}

function positionsOf(entries: { seq: number }[]): string {
  return entries.map(({ seq }) => seq).join()
}

function positionsUpTo(count: number): string {
  return Array.from({ length: count }, (_, index) => index + 1).join()
}

function brief(value: unknown): string {
  const text = String(value)
  return text.length > 80 ? `${text.slice(0, 80)}… (${text.length} characters)` : text
}
