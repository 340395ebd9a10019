import type { Unsent } from './errors.ts'
import type { Fields, Mark } from './prepare-report.ts'

/**
 * Merges the fields of a later report into those of an earlier one, so that both sent as one do what they would do one after
 * the other: of counts and texts the last counts, deltas and counters add up, and metadata is merged key by key.
 */
export function mergeFields(into: Fields, later: Fields): void {
  const { processedItems, processedDelta, counters, metadataPatch, ...others } = later
  if (metadataPatch !== undefined) {
    // In one report, stage and message would win over these keys, whichever came first.
    if (Object.hasOwn(metadataPatch, 'stage')) delete into.stage
    if (Object.hasOwn(metadataPatch, 'last_message')) delete into.message
    into.metadataPatch = { ...into.metadataPatch, ...metadataPatch }
  }
  Object.assign(into, others)
  if (processedItems !== undefined) {
    into.processedItems = processedItems
    delete into.processedDelta
  }
  if (processedDelta !== undefined) {
    // The API refuses a report with both.
    if (into.processedItems !== undefined) into.processedItems += processedDelta
    else into.processedDelta = (into.processedDelta ?? 0) + processedDelta
  }
  if (counters !== undefined) {
    // Without a prototype: a counter may be called "constructor".
    into.counters ??= Object.create(null) as Record<string, number>
    for (const [name, count] of Object.entries(counters))
      into.counters[name] = (into.counters[name] ?? 0) + count
  }
}

/** Whether the fields have to be in a report of their own, because merged they would hide a stage from the timeline. */
export function hidesStage(into: Fields, later: Fields): boolean {
  if (into.stage === undefined) return false
  if (later.stage !== undefined) return later.stage !== into.stage
  return later.metadataPatch !== undefined && Object.hasOwn(later.metadataPatch, 'stage')
}

/** Sums up what is in some reports. */
export function sumUp(
  reports: { fields: Fields; errors: unknown[]; warnings: unknown[]; mark?: Mark | undefined }[],
): Unsent {
  const fields: Fields = {}
  const unsent: Unsent = { errors: 0, warnings: 0 }
  for (const report of reports) {
    mergeFields(fields, report.fields)
    unsent.errors += report.errors.length
    unsent.warnings += report.warnings.length
    if (report.mark !== undefined) unsent.mark = 'failed' in report.mark ? 'failed' : 'completed'
  }
  const { totalItems, processedItems, processedDelta, counters, stage } = fields
  return Object.assign(
    unsent,
    totalItems !== undefined && { totalItems },
    processedItems !== undefined && { processedItems },
    processedDelta !== undefined && { processedDelta },
    counters !== undefined && { counters },
    stage !== undefined && { stage },
  )
}
