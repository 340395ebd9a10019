/** Readers for one cell of a feed. CSV cells are text; JSON cells may be numbers, null or anything else. */

export function isBlank(cell: unknown): boolean {
  return cell === undefined || cell === null || (typeof cell === 'string' && cell.trim() === '')
}

/** Returns text or a number as trimmed text, null for anything else. Replaces lone surrogates, which no API accepts. */
export function readText(cell: unknown): string | null {
  if (isBlank(cell) || (typeof cell !== 'string' && typeof cell !== 'number')) return null
  return String(cell).trim().toWellFormed()
}

/** Returns a finite number, or text that spells one, as a number; null for anything else. */
export function readNumber(cell: unknown): number | null {
  // Number('') is 0: a blank cell must not become a price of zero.
  if (isBlank(cell) || (typeof cell !== 'string' && typeof cell !== 'number')) return null
  const number = Number(cell)
  return Number.isFinite(number) ? number : null
}

/** Formats a cell for a message, cut to about 100 characters. */
export function showCell(cell: unknown): string {
  const text = JSON.stringify(cell)
  return (text.length > 100 ? `${text.slice(0, 100)}…` : text).toWellFormed()
}
