import { field, type Reading } from './fields.ts'

/** An ISO 8601 date or time, in UTC unless it has an offset. Published, so without flags. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?([Zz]|[+-]\d\d:?\d\d)?$/

/** A time of a query, in ms since the epoch. */
export function time() {
  return field({ type: 'string', pattern: TIME.source }, readTime)
}

function readTime(value: unknown): Reading<number> {
  const [, day, time = '00:00:00', offset = 'Z'] = (typeof value === 'string' && TIME.exec(value)) || []
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${offset.toUpperCase()}`)
  if (day !== undefined && isDay(day) && !Number.isNaN(at)) return { value: at }
  return { fault: { type: 'datetime_parsing', msg: 'Input should be a valid datetime' } }
}

/** Needed because `Date` turns February 30 into a day in March. */
function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day)
}
