import type { JobReporter } from 'milepost'
import { checkRow, type FeedRow, type Item } from './check-row.ts'
import type { Mapping } from './mapping.ts'

interface CheckOptions {
  mapping: Mapping
  today: Date
  batchRows: number
  job: JobReporter
  /** Awaited after each batch. */
  nextBatch(): Promise<void>
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

/** Checks all rows, reports their errors and warnings, and returns the usable rows as items. */
export async function checkRows(
  rows: FeedRow[],
  { mapping, today, batchRows, job, nextBatch }: CheckOptions,
): Promise<{ items: Item[]; counts: FeedCounts }> {
  const items: Item[] = []
  const firstRowOfKey = new Map<string, number>()
  const counts: FeedCounts = { rows: rows.length, usable: 0, errors: 0, warnings: 0, doubtful: 0 }
  let checked = 0

  for (const batch of cut(rows, batchRows)) {
    for (const row of batch) {
      const outcome = checkRow(row, mapping, today, firstRowOfKey)
      if (outcome.kind === 'refused') {
        job.error(outcome.error)
        counts.errors++
        continue
      }
      firstRowOfKey.set(outcome.item.key, row.number)
      items.push(outcome.item)
      for (const warning of outcome.warnings) job.warning(warning)
      counts.warnings += outcome.warnings.length
      if (outcome.warnings.length > 0) counts.doubtful++
    }
    checked += batch.length
    job.message(`Checked ${checked} of ${rows.length} rows`)
    await nextBatch()
  }
  counts.usable = items.length
  return { items, counts }
}

function* cut<T>(all: T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size)
}
