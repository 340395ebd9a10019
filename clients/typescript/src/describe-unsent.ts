import type { Unsent } from './errors.ts'

/** "12 errors, 1 warning, 340 processed, the end of the job", or "" if there is nothing. */
export function describeUnsent(unsent: Unsent): string {
  const { errors, warnings, processedItems, processedDelta, totalItems, counters, stage, mark } = unsent
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
  return [
    errors > 0 && count(errors, 'error'),
    warnings > 0 && count(warnings, 'warning'),
    processedItems !== undefined && `${processedItems} processed`,
    processedDelta !== undefined && `${processedDelta} more processed`,
    totalItems !== undefined && `${totalItems} in total`,
    counters !== undefined && `counters (${Object.keys(counters).join(', ')})`,
    stage !== undefined && `the stage ${stage}`,
    mark !== undefined && `that the job ${mark === 'failed' ? 'has failed' : 'is completed'}`,
  ]
    .filter((part) => part !== false)
    .join(', ')
}
