import type { LedgerJob, SeenJob, SentReport, Verdict } from './ledger.ts'
import { possibleStatuses } from './ledger.ts'

/** How many of the newest entries a GET of the job shows. */
const SHOWN = 100

/** Columns of the record that a GET shows under the same name, and as they stand. */
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

/** Holds one job against its ledger: pure, so that it can be shown to find what it is there to find. */
export function compareJob(ledger: LedgerJob, seen: SeenJob): Verdict {
  const acknowledged = ledger.reports.filter(({ outcome }) => outcome === 'acknowledged')
  if (seen.job === null) {
    const lost = ['the job itself', ...acknowledged.map(nameOf)]
    return { lost, doubled: [], disagreements: ['there is no such job'] }
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
    ...findStrangers(ledger, present),
    ...checkOrder(acknowledged, seen),
    ...checkState(ledger, seen.job, present),
    ...checkRecord(seen.job, seen),
    ...checkRevision(ledger, seen.row, revision),
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

/** Entries that nobody sent to this job. */
function findStrangers(ledger: LedgerJob, present: Present): string[] {
  return (['errors', 'warnings'] as const).flatMap((kind) => {
    const sent = new Set(ledger.reports.flatMap((report) => report[kind]))
    return [...present[kind].keys()]
      .filter((key) => !sent.has(key))
      .map((key) => `${kind}: nobody sent ${key}`)
  })
}

/** A worker awaited each report before the next, so its acknowledged entries stand in the order in which it sent them. */
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

/** What the job says of itself, against what was reported of it. */
function checkState(ledger: LedgerJob, job: Record<string, unknown>, present: Present): string[] {
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0)
  const workers = [...new Set(ledger.reports.map(({ worker }) => worker))]
  const latest = new Map(workers.map((worker) => [worker, possibleLatest(ledger, worker)]))
  const metadata = job.metadata as Record<string, unknown>
  const set = [...latest.values()].flat()
  // 0 is what the job was created with: none of its workers may have got as far as to say otherwise.
  const processed = [...latest.values()].every((numbers) => numbers.includes(0))
    ? [0, ...set]
    : set.filter((n) => n > 0)
  const expected: [what: string, found: unknown, possible: unknown[]][] = [
    ['status', job.status, possibleStatuses(ledger, present.errors.size > 0, present.warnings.size > 0)],
    ['total_items', job.total_items, [ledger.totalItems]],
    // The last to arrive stands, whichever worker's it was.
    ['processed_items', job.processed_items, processed],
    ['error_count', job.error_count, [total(present.errors)]],
    ['warning_count', job.warning_count, [total(present.warnings)]],
    // No entity is used twice, nor both as an error and as a warning.
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

/** What a worker may have set last: its last acknowledged number, or one that nobody answered for. */
function possibleLatest(ledger: LedgerJob, worker: string): number[] {
  const own = ledger.reports.filter((report) => report.worker === worker && report.marked)
  const last = own.findLast(({ outcome }) => outcome === 'acknowledged')
  const unanswered = own.filter(({ outcome }) => outcome === 'unanswered').map(({ n }) => n)
  return last === undefined ? [0, ...unanswered] : [last.n, ...unanswered]
}

/** D1 against what the edge answers: the row, and every entry. */
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
    ['places of errors', placesOf(seen.recordedErrors), placesUpTo(seen.errors.length)],
    ['places of warnings', placesOf(seen.recordedWarnings), placesUpTo(seen.warnings.length)],
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

/** A report that was applied twice shows here, whatever it brought. */
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

function placesOf(entries: { seq: number }[]): string {
  return entries.map(({ seq }) => seq).join()
}

function placesUpTo(count: number): string {
  return Array.from({ length: count }, (_, index) => index + 1).join()
}

function brief(value: unknown): string {
  const text = String(value)
  return text.length > 80 ? `${text.slice(0, 80)}… (${text.length} characters)` : text
}
