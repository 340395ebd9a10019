import { MAX_COUNTER_NAME, MAX_COUNTERS } from '../../jobs/limits.ts'
import { integer, text } from './fields.ts'
import { namedValues } from './named-values.ts'

/** An object of integers by name. */
export function counters() {
  return namedValues({
    name: text(MAX_COUNTER_NAME),
    value: integer(),
    most: MAX_COUNTERS,
    published: { type: 'integer', minimum: 0 },
  })
}
