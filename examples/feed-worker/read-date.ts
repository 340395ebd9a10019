const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * Reads a date as product files write it and returns ISO 8601 in the same precision: '1998-06-12', '1987-03' or '1963'. Returns
 * null for anything else, including days that do not exist.
 *
 * Rejects all-numeric dates other than ISO's (12/06/98), where day and month are ambiguous. Two-digit years follow POSIX: 69–99
 * are in the 1900s, 00–68 in the 2000s.
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

/** 'Jun', 'June', 'sept' → 6, 6, 9. Returns 0 if the name is not a month. */
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
  // Date rolls June 31 over to July 1: if the day changed, the date does not exist.
  const date = new Date(`${yyyy}-${mm}-${dd}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(dayText) ? `${yyyy}-${mm}-${dd}` : null
}
