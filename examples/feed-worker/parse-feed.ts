import { extname } from 'node:path'
import { pipeline } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import type { FeedRow } from './check-row.ts'
import { FeedError } from './feed-error.ts'

export type FeedFormat = 'csv' | 'json' | 'jsonl'

/** All rows are held in memory, where short rows take many times their size in the file. */
const MOST_ROWS = 2_000_000

const LARGEST_RECORD_BYTES = 1024 * 1024

type Cells = { value: unknown } | { problem: string }

/**
 * Parses UTF-8 text into rows. An unreadable row becomes a row with a problem. Throws FeedError if the file itself is
 * unreadable or has more than 2,000,000 rows.
 */
export async function parseFeed(chunks: AsyncIterable<Uint8Array>, format: FeedFormat): Promise<FeedRow[]> {
  const rows: FeedRow[] = []
  for await (const cells of PARSERS[format](chunks)) {
    if (rows.length === MOST_ROWS) throw new FeedError(`The feed has more than ${MOST_ROWS} rows`)
    rows.push({ number: rows.length + 1, ...cells })
  }
  return rows
}

/** Guesses the format from the name, then from the content type, then from the first character. */
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
  // Streamed: parsing 256 MiB of CSV at once would block signals for half a minute.
  async *csv(chunks) {
    const records = parse({
      bom: true,
      columns: true,
      // `info` carries the error of a record with too many or too few cells, which then spoils one row, not the file.
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      // An unclosed quote would turn the rest of the file into one record.
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

/** A character in another encoding becomes U+FFFD and a warning about its row. It does not end the import. */
async function* decode(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}

async function* splitLines(parts: AsyncIterable<string>): AsyncGenerator<string> {
  // Join the parts only once the line is complete: growing and searching one string would take quadratic time.
  let line: string[] = []
  for await (const part of parts) {
    const [end = '', ...starts] = part.split('\n')
    line.push(end)
    for (const start of starts) {
      yield line.join('')
      line = [start]
    }
  }
  yield line.join('')
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
