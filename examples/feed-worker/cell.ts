/** What a single cell of a feed holds. CSV has everything as text; JSON has numbers, nulls and anything else. */

export function isBlank(cell: unknown): boolean {
  return cell === undefined || cell === null || (typeof cell === 'string' && cell.trim() === '')
}

/** Text or a number as text, trimmed; null when there is neither. Half a character, which no API accepts, is replaced. */
export function readText(cell: unknown): string | null {
  if (isBlank(cell) || (typeof cell !== 'string' && typeof cell !== 'number')) return null
  return String(cell).trim().toWellFormed()
}

/** A finite number, or text that is one; null for anything else. */
export function readNumber(cell: unknown): number | null {
  // Number('') is 0: a blank must not pass for a price of nothing.
  if (isBlank(cell) || (typeof cell !== 'string' && typeof cell !== 'number')) return null
  const number = Number(cell)
  return Number.isFinite(number) ? number : null
}

/** The cell as it may stand in a message: short, whatever the feed holds. */
export function showCell(cell: unknown): string {
  const text = JSON.stringify(cell)
  return (text.length > 100 ? `${text.slice(0, 100)}…` : text).toWellFormed()
}
