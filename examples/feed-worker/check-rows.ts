import type { Job, Report, ReportedEntry } from '../../src/client/wire.ts'
import { checkRow, type FeedRow, type Item } from './check-row.ts'
import type { Mapping } from './mapping.ts'

interface CheckOptions {
  mapping: Mapping
  today: Date
  /** How many rows to check between two reports. */
  batchRows: number
  report(progress: Report): Promise<Job>
}

/** The worker's own counts, for comparison with the job's. */
export interface FeedCounts {
  rows: number
  usable: number
  errors: number
  warnings: number
  /** Usable rows with at least one warning. */
  doubtful: number
}

/** The API accepts 500 entries and 1 MiB per report. This many fit, however long their keys and messages are. */
const ENTRIES_PER_REPORT = 150

/** Checks all rows, reports the errors and warnings of each batch, and returns the usable rows as items. */
export async function checkRows(
  rows: FeedRow[],
  { mapping, today, batchRows, report }: CheckOptions,
): Promise<{ items: Item[]; counts: FeedCounts }> {
  const items: Item[] = []
  const firstRowOfKey = new Map<string, number>()
  const counts: FeedCounts = { rows: rows.length, usable: 0, errors: 0, warnings: 0, doubtful: 0 }
  let checked = 0

  for (const batch of cut(rows, batchRows)) {
    const errors: ReportedEntry[] = []
    const warnings: ReportedEntry[] = []
    for (const row of batch) {
      const outcome = checkRow(row, mapping, today, firstRowOfKey)
      if (outcome.kind === 'refused') {
        errors.push(outcome.error)
        continue
      }
      firstRowOfKey.set(outcome.item.key, row.number)
      items.push(outcome.item)
      warnings.push(...outcome.warnings)
      if (outcome.warnings.length > 0) counts.doubtful++
    }
    checked += batch.length
    counts.errors += errors.length
    counts.warnings += warnings.length

    for (const part of cut(errors, ENTRIES_PER_REPORT)) await report({ errors: part })
    const [first, ...others] = cut(warnings, ENTRIES_PER_REPORT)
    for (const part of others) await report({ warnings: part })
    await report({ ...(first && { warnings: first }), message: `Checked ${checked} of ${rows.length} rows` })
  }
  counts.usable = items.length
  return { items, counts }
}

function* cut<T>(all: T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size)
}
