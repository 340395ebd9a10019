import { extname } from 'node:path'
import { pipeline } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import type { FeedRow } from './check-row.ts'
import { FeedError } from './feed-error.ts'

export type FeedFormat = 'csv' | 'json' | 'jsonl'

/** All rows are in memory at once, where a file with a few bytes to a row takes many times its size. */
const MOST_ROWS = 2_000_000

const LARGEST_RECORD_BYTES = 1024 * 1024

type Cells = { value: unknown } | { problem: string }

/**
 * The rows in UTF-8 text. A row that cannot be read is a row with a problem. Throws FeedError for a file that cannot be read,
 * or has more than 2,000,000 rows.
 */
export async function parseFeed(chunks: AsyncIterable<Uint8Array>, format: FeedFormat): Promise<FeedRow[]> {
  const rows: FeedRow[] = []
  for await (const cells of PARSERS[format](chunks)) {
    if (rows.length === MOST_ROWS) throw new FeedError(`The feed has over ${MOST_ROWS} rows`)
    rows.push({ number: rows.length + 1, ...cells })
  }
  return rows
}

/** By the name, else by what the server said, else by how the text begins. */
export function guessFormat(name: string, contentType: string, text: string): FeedFormat {
  const extension = extname(name.replace(/\.gz$/i, '')).toLowerCase()
  if (extension === '.csv') return 'csv'
  if (extension === '.jsonl' || extension === '.ndjson') return 'jsonl'
  if (extension === '.json') return 'json'
  if (/csv/i.test(contentType)) return 'csv'
  if (/jsonl|ndjson|jsonlines/i.test(contentType)) return 'jsonl'
  if (/json/i.test(contentType)) return 'json'
  const start = text.trimStart().charAt(0)
  if (start === '[') return 'json'
  return start === '{' ? 'jsonl' : 'csv'
}

const PARSERS: Record<FeedFormat, (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<Cells>> = {
  // Not in one go: 256 MiB of CSV take half a minute, and a signal would go unheard for as long.
  async *csv(chunks) {
    const records = parse({
      bom: true,
      columns: true,
      // Carries the error of a record with too many or too few cells, which is then one bad row and not a bad file.
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      // A quote that is never closed makes one record of all that follows.
      max_record_size: LARGEST_RECORD_BYTES,
    })
    pipeline(chunks, records, () => {})
    try {
      for await (const { record, info } of records as AsyncIterable<CsvRecord>) {
        yield info.error ? { problem: info.error.message } : { value: record }
      }
    } catch (cause) {
      if (!(cause instanceof CsvError)) throw cause
      throw new FeedError(`The file is not CSV: ${cause.message}`, { cause })
    }
  },

  async *json(chunks) {
    let text = ''
    for await (const part of decode(chunks)) text += part
    let rows: unknown
    try {
      rows = JSON.parse(text)
    } catch (cause) {
      throw new FeedError(`The file is not JSON: ${messageOf(cause)}`, { cause })
    }
    if (!Array.isArray(rows)) throw new FeedError('The file is JSON, but not an array of rows')
    for (const value of rows) yield { value }
  },

  async *jsonl(chunks) {
    for await (const line of splitLines(decode(chunks))) {
      if (line.trim() === '') continue
      try {
        yield { value: JSON.parse(line) as unknown }
      } catch (cause) {
        yield { problem: `The line is not JSON: ${messageOf(cause)}` }
      }
    }
  },
}

interface CsvRecord {
  record: unknown
  info: { error?: Error }
}

/** A letter in another encoding becomes U+FFFD, and a warning about its row, rather than the end of the import. */
async function* decode(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}

async function* splitLines(parts: AsyncIterable<string>): AsyncGenerator<string> {
  // Joined only when the line is complete: extending and searching one string would take quadratic time.
  let begun: string[] = []
  for await (const part of parts) {
    const [end = '', ...starts] = part.split('\n')
    begun.push(end)
    for (const start of starts) {
      yield begun.join('')
      begun = [start]
    }
  }
  yield begun.join('')
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
