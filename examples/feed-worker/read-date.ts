const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * A date as product files write it, to ISO 8601 in the precision that it was given: '1998-06-12', '1987-03' or '1963'.
 * Null for anything else, days that no calendar has included.
 *
 * All-numeric dates other than ISO's (12/06/98) are not read: whether the day or the month comes first is a guess. A year
 * of two digits is read as POSIX does, 69–99 in the 1900s and 00–68 in the 2000s.
 */
export function readDate(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null
  const text = String(value).trim()

  const year = /^(\d{4})$/.exec(text)
  if (year) return toIso(year[1])
  const iso = /^(\d{4})-(\d\d)(?:-(\d\d)(?:[T ].*)?)?$/.exec(text)
  if (iso) return toIso(iso[1], Number(iso[2]), iso[3])
  const dayFirst = /^(\d{1,2})[-\s.]+([a-z]+)[-\s.,]+(\d{4}|\d\d)$/i.exec(text)
  if (dayFirst) return toIso(dayFirst[3], readMonth(dayFirst[2]), dayFirst[1])
  const monthFirst = /^([a-z]+)\.?\s+(?:(\d{1,2}),\s*)?(\d{4})$/i.exec(text.replace(/^([a-z]+),/i, '$1 '))
  if (monthFirst) return toIso(monthFirst[3], readMonth(monthFirst[1]), monthFirst[2])
  return null
}

/** 'Jun', 'June', 'sept' → 6, 6, 9; 0 for no month. */
function readMonth(name = ''): number {
  const lower = name.toLowerCase()
  return lower.length < 3 ? 0 : MONTHS.indexOf(lower.slice(0, 3)) + 1
}

function toIso(yearText = '', month?: number, dayText?: string): string | null {
  const year =
    yearText.length === 2 ? Number(yearText) + (Number(yearText) < 69 ? 2000 : 1900) : Number(yearText)
  const yyyy = String(year).padStart(4, '0')
  if (month === undefined) return yyyy
  if (month < 1 || month > 12) return null
  const mm = String(month).padStart(2, '0')
  if (dayText === undefined) return `${yyyy}-${mm}`
  const dd = dayText.padStart(2, '0')
  // Date carries the 31st of June over into July: what comes back another day was none.
  const date = new Date(`${yyyy}-${mm}-${dd}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(dayText) ? `${yyyy}-${mm}-${dd}` : null
}
