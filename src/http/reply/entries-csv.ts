/** Details that get columns of their own, and the most characters of their names. */
const MAX_DETAIL_COLUMNS = 50
const MAX_COLUMN_NAME = 100

/** The columns before those of details, in order. */
const FIELDS = ['timestamp', 'entity_type', 'entity_key', 'error_type', 'message', 'step'] as const
/** The last column: as JSON, the details that have no column. */
const OTHER_DETAILS = 'other_details'

interface Entry extends Record<(typeof FIELDS)[number], string | null> {
  details: Record<string, unknown> | null
}

/**
 * Entries as CSV by RFC 4180, page by page. The first page decides which details get a column, because the header comes
 * before anything that later pages hold; `other_details` has the rest, so nothing is lost.
 */
export class EntriesCsv {
  #columns: string[] | undefined

  /** The rows of some entries, which are published JSON; before the first of them, the header. */
  page(texts: string[]): string {
    const entries = texts.map((text) => JSON.parse(text) as Entry)
    const isFirst = this.#columns === undefined
    this.#columns ??= columnsOf(entries)
    const columns = this.#columns
    return (isFirst ? headerOf(columns) : '') + entries.map((entry) => rowOf(entry, columns)).join('')
  }

  /** What is left to write after the last page: the header, if no page has come. */
  end(): string {
    return this.#columns === undefined ? headerOf([]) : ''
  }
}

/** The names of details, in the order in which they appear. */
function columnsOf(entries: Entry[]): string[] {
  const names = new Set<string>()
  for (const { details } of entries) {
    for (const name of Object.keys(details ?? {})) {
      if (names.size === MAX_DETAIL_COLUMNS) return [...names]
      if (name.length <= MAX_COLUMN_NAME) names.add(name)
    }
  }
  return [...names]
}

/** Starts with a byte order mark: without it, Excel takes UTF-8 for another encoding. */
function headerOf(columns: string[]): string {
  return `\ufeff${line([...FIELDS, ...columns.map((name) => `details.${name}`), OTHER_DETAILS])}`
}

function rowOf(entry: Entry, columns: string[]): string {
  const details = new Map(Object.entries(entry.details ?? {}))
  const values = columns.map((name) => {
    const value = details.get(name)
    details.delete(name)
    return value
  })
  const others = details.size > 0 ? Object.fromEntries(details) : null
  return line([...FIELDS.map((name) => entry[name]), ...values, others])
}

function line(values: unknown[]): string {
  return `${values.map(cell).join()}\r\n`
}

/** Objects and arrays become JSON. Numbers stay as they are: a negative one is no formula. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = harmless(typeof value === 'string' ? value : JSON.stringify(value))
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

// Semicolons and tabs, too: spreadsheets may split at them, and the parts would be cells of their own.
const NEEDS_QUOTES = /[",;\t\r\n]|^\s|\s$/

/** What a spreadsheet takes for a formula, by OWASP's list: it gets an apostrophe, which makes it text. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}
